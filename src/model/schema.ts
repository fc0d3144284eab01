import * as z from 'zod';
import { consumerGroupSchema, consumerSchema, credentialSchema } from './schema/consumer.js';
import { description, id, labels, name, plugins } from './schema/scalars.js';
import { routeSchema, serviceSchema, streamRouteSchema } from './schema/service.js';
import { sslSchema } from './schema/ssl.js';
import { namedUpstreamSchema, sharedUpstreamSchema, upstreamSchema } from './schema/upstream.js';

/** Plugins that routes share by `plugin_config_id`. */
export const pluginConfigSchema = z.strictObject({
  id: id.optional(),
  name,
  description: description.optional(),
  labels: labels.optional(),
  plugins,
});

/** A configuration file. Every key is optional; an absent `upstreams`, `plugin_configs` or `consumer_groups` means "not managed here". */
export const configurationSchema = z
  .strictObject({
    services: z.array(serviceSchema).optional().describe('Services with their routes and upstreams.'),
    ssls: z.array(sslSchema).optional().describe('Certificates.'),
    consumers: z.array(consumerSchema).optional().describe('Consumers with their credentials.'),
    consumer_groups: z
      .array(consumerGroupSchema)
      .optional()
      .describe('Consumer groups. Absent: not managed. Present, even as []: managed.'),
    upstreams: z
      .array(sharedUpstreamSchema)
      .optional()
      .describe('Shared upstreams. Absent: not managed. Present, even as []: managed.'),
    plugin_configs: z
      .array(pluginConfigSchema)
      .optional()
      .describe('Shared plugin configurations. Absent: not managed. Present, even as []: managed.'),
    global_rules: plugins.optional().describe('Plugins that run for every request, by plugin name.'),
    plugin_metadata: plugins.optional().describe('Metadata of plugins, by plugin name.'),
  })
  .describe('The configuration of an Apache APISIX gateway.');

export {
  consumerGroupSchema,
  consumerSchema,
  credentialSchema,
  namedUpstreamSchema,
  routeSchema,
  serviceSchema,
  sharedUpstreamSchema,
  sslSchema,
  streamRouteSchema,
  upstreamSchema,
};
