import { checkMeaning, checkPlugins, checkShape, type ConfContext } from '../admin/conf.js';
import { Refusal } from '../admin/refusal.js';
import { idAt, isObject, type JsonObject } from '../json.js';
import type { Collection } from '../store.js';
import type { CheckItem } from './document.js';
import type { StandaloneRules } from './sections.js';

const credentialId = /^[^/]+\/credentials\/([^/]+)$/;

/** Builds the check of the items of a document: the same schemas that objects of their own are checked with. */
export function itemChecker(context: ConfContext, rules: StandaloneRules): CheckItem {
  return ({ collection }, item) => {
    if (collection === undefined) return undefined;
    const credential = collection === 'consumers' ? credentialId.exec(idAt(item, 'id') ?? '')?.[1] : undefined;
    const kind: Collection = credential === undefined ? collection : 'credentials';
    const named = credential === undefined ? item : { ...item, id: credential };
    const conf = rules.refusesUnknownPlugins ? named : withoutUnknownPlugins(context, named);
    if (kind === 'plugin_metadata' && !rules.refusesUnknownPlugins) {
      if (!Object.hasOwn(context.plugins, idAt(conf, 'id') ?? '')) return undefined;
    }
    return problemOf(context, kind, conf);
  };
}

function problemOf(context: ConfContext, collection: Collection, conf: JsonObject): string | undefined {
  try {
    const filled = checkShape(context, { collection, id: idAt(conf, 'id') ?? '', conf });
    checkMeaning(collection, filled);
    checkPlugins(context, collection, filled);
    return undefined;
  } catch (error) {
    const message = error instanceof Refusal && isObject(error.body) ? error.body['error_msg'] : undefined;
    if (typeof message !== 'string') throw error;
    return message;
  }
}

function withoutUnknownPlugins(context: ConfContext, conf: JsonObject): JsonObject {
  const { plugins } = conf;
  if (!isObject(plugins)) return conf;
  const known = Object.entries(plugins).filter(([name]) => Object.hasOwn(context.plugins, name));
  return { ...conf, plugins: Object.fromEntries(known) };
}
