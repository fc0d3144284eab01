import * as z from 'zod';
import { description, id, labels, name, openObject, plugins, reference } from './scalars.js';

/** The plugins a credential may be of. */
const credentialTypes = ['key-auth', 'basic-auth', 'jwt-auth', 'hmac-auth'] as const;

/** What a consumer authenticates with. Its `config` is a secret as a whole, but for references. */
export const credentialSchema = z.strictObject({
  id: id.optional(),
  name,
  description: description.optional(),
  labels: labels.optional(),
  type: z
    .enum(
      credentialTypes,
      'Consumer credential only supports "key-auth", "basic-auth", "jwt-auth" and "hmac-auth" types',
    )
    .describe('The authentication plugin.'),
  config: openObject.describe('The configuration of the authentication plugin.'),
});

/** A consumer with its credentials. */
export const consumerSchema = z.strictObject({
  username: name.describe('The name of the consumer, which is its id as well.'),
  description: description.optional(),
  labels: labels.optional(),
  plugins: plugins.optional(),
  credentials: z.array(credentialSchema).optional(),
  group_id: reference('a consumer group').optional(),
});

/** Consumers that share plugins. */
export const consumerGroupSchema = z.strictObject({
  id: id.optional(),
  name,
  description: description.optional(),
  labels: labels.optional(),
  plugins: plugins.optional(),
  consumers: z.array(consumerSchema).optional().describe('Consumers of this group.'),
});
