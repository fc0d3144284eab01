import * as z from 'zod';
import { certificate, host, id, int, labels, privateKey, secret } from './scalars.js';

/** Certificates for server names, or the authority that clients are checked against. */
export const sslSchema = z.strictObject({
  id: id.optional(),
  labels: labels.optional(),
  type: z.enum(['server', 'client']).default('server'),
  snis: z.array(host()).min(1).describe('Server names; their order is part of the derived id.'),
  certificates: z
    .array(z.strictObject({ certificate, key: secret(privateKey) }))
    .min(1, 'SSL must contain at least one certificate'),
  client: z
    .strictObject({
      ca: certificate,
      depth: int(0).default(1),
      skip_mtls_uri_regex: z.array(z.string()).min(1).optional(),
    })
    .optional(),
  ssl_protocols: z
    .array(z.enum(['TLSv1.1', 'TLSv1.2', 'TLSv1.3']))
    .min(1)
    .optional(),
});
