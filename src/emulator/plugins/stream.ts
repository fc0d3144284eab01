import type { PluginDefinition, PluginDefinitions } from '../plugins.js';
import { shape, text, whole } from '../schema/build.js';
import type { Rules } from '../versions.js';
import { withMeta } from './define.js';

/** The plugins that stream routes take as well, with the settings they have elsewhere. */
const shared = ['ip-restriction', 'limit-conn', 'prometheus', 'syslog', 'traffic-split'];

/** The plugins of stream routes: those that work there too, and those that only work there. */
export function streamPlugins(rules: Rules, plugins: PluginDefinitions): PluginDefinitions {
  const mqtt: PluginDefinition = {
    priority: 1000,
    version: 0.1,
    schema: withMeta(
      rules,
      shape({ protocol_name: text({ default: 'MQTT' }), protocol_level: whole() }, { required: ['protocol_level'] }),
    ),
  };
  const taken = shared.flatMap((name): [string, PluginDefinition][] => {
    const definition = plugins[name];
    return definition === undefined ? [] : [[name, definition]];
  });
  return { 'mqtt-proxy': mqtt, ...Object.fromEntries(taken) };
}
