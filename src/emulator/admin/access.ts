import type { ApiRequest } from '../http/answer.js';
import type { Rules } from '../versions.js';
import { Refusal } from './refusal.js';

/** The keys the Admin API knows. */
export interface Keys {
  readonly admin: string;
  /** A key that may read only. */
  readonly viewer: string | undefined;
}

/**
 * Checks the API key of a request.
 *
 * @throws Refusal (401) without a key, with a wrong one, and for a write with the read-only one.
 */
export function checkAccess(request: ApiRequest, keys: Keys, rules: Rules): void {
  const key = request.query.get('api_key') ?? request.header('x-api-key');
  if (key === undefined) throw unauthorized('missing apikey', rules);
  if (key === keys.admin) return;
  if (keys.viewer === undefined || key !== keys.viewer) throw unauthorized('wrong apikey', rules);
  if (request.method !== 'GET') throw unauthorized('invalid method for role viewer', rules);
}

function unauthorized(description: string, rules: Rules): Refusal {
  const refused = { error_msg: 'failed to check token' };
  return new Refusal(401, rules.explainsRefusals ? { ...refused, description } : refused);
}
