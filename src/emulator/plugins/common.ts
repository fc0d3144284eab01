import type { PluginDefinitions } from '../plugins.js';
import type { Rules } from '../versions.js';

/** The emulator's own schemas of the commonest plugins, as a gateway of some version has them. */
export function commonPlugins(rules: Rules): PluginDefinitions {
  void rules;
  return {};
}
