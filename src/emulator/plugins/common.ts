import type { PluginDefinition, PluginDefinitions } from '../plugins.js';
import type { Rules } from '../versions.js';
import { authPlugins } from './auth.js';
import { withMeta } from './define.js';
import { limitPlugins } from './limits.js';
import { operationPlugins } from './operation.js';
import { proxyPlugins } from './proxy.js';
import { securityPlugins } from './security.js';
import { trafficPlugins } from './traffic.js';

/** The emulator's own schemas of the commonest plugins, as a gateway of some version has them. */
export function commonPlugins(rules: Rules): PluginDefinitions {
  const makers = {
    ...authPlugins,
    ...limitPlugins,
    ...trafficPlugins,
    ...securityPlugins,
    ...proxyPlugins,
    ...operationPlugins,
  };
  return Object.fromEntries(
    Object.entries(makers).map(([name, make]): [string, PluginDefinition] => {
      const made = make(rules);
      return [name, { version: 0.1, ...made, schema: withMeta(rules, made.schema) }];
    }),
  );
}
