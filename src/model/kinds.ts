/**
 * Every kind of resource the tool manages. The words are those of `--include-resource-type`, of `diff.yaml` and of the
 * server's events; a kind has no other name anywhere.
 */
export const kinds = [
  'service',
  'upstream',
  'route',
  'stream_route',
  'ssl',
  'consumer',
  'consumer_credential',
  'consumer_group',
  'plugin_config',
  'global_rule',
  'plugin_metadata',
] as const;

/** A kind of resource. */
export type Kind = (typeof kinds)[number];

/** The kinds that a configuration leaves unmanaged unless it names their collection (even as an empty list). */
export const optInKinds: readonly Kind[] = ['upstream', 'plugin_config', 'consumer_group'];

/** Tells whether a word names a kind. */
export function isKind(word: string): word is Kind {
  return (kinds as readonly string[]).includes(word);
}
