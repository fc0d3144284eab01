import type { Rules } from '../versions.js';
import { flag, list, shape, text, whole } from './build.js';
import type { Schema } from './schema.js';

const shown = { id: text(), create_time: whole(), update_time: whole() };
const address = text({ pattern: '^[^\\/]+:\\/\\/([\\da-zA-Z.-]+|\\[[\\da-fA-F:]+\\])(:\\d+)?' });

/** The schema of the secrets of a manager; `undefined` where a gateway of that version has no such manager. */
export function secretSchema(rules: Rules, manager: string): Schema | undefined {
  switch (manager) {
    case 'vault':
      return shape(
        { ...shown, uri: address, prefix: text(), token: text(), namespace: text() },
        { required: ['uri', 'prefix', 'token'] },
      );
    case 'aws':
      return rules.since('3.10.0') ? awsSchema : undefined;
    case 'gcp':
      return rules.since('3.10.0') ? gcpSchema : undefined;
    default:
      return undefined;
  }
}

const awsSchema = shape(
  {
    ...shown,
    access_key_id: text(),
    secret_access_key: text(),
    session_token: text(),
    region: text({ default: 'us-east-1' }),
    endpoint_url: address,
  },
  { required: ['access_key_id', 'secret_access_key'] },
);

const gcpSchema = shape(
  {
    ...shown,
    auth_config: shape(
      {
        client_email: text(),
        private_key: text(),
        project_id: text(),
        token_uri: text({ default: 'https://oauth2.googleapis.com/token' }),
        entries_uri: text({ default: 'https://secretmanager.googleapis.com/v1' }),
        scope: list(text(), { default: ['https://www.googleapis.com/auth/cloud-platform'] }),
      },
      { required: ['client_email', 'private_key', 'project_id'] },
    ),
    auth_file: text(),
    ssl_verify: flag(true),
  },
  { oneOf: [{ required: ['auth_config'] }, { required: ['auth_file'] }] },
);
