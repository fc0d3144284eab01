import { hash } from 'node:crypto';

/** Lowercase hex SHA-1 of the UTF-8 bytes of a text. */
function sha1(text: string): string {
  return hash('sha1', text);
}

/** The id of a service, a consumer group, a plugin config or a shared upstream that has none of its own. */
export function deriveId(name: string): string {
  return sha1(name);
}

/**
 * The id of a route, a stream route or a named upstream (of a service), or of a credential (of a consumer), that has
 * none of its own. The parent's **name** counts, even where the parent has an explicit id.
 */
export function deriveNestedId(parentName: string, name: string): string {
  return sha1(`${parentName}.${name}`);
}

/** The id of an SSL that has none of its own: from its SNIs, in the order of the file. */
export function deriveSslId(snis: readonly string[]): string {
  return sha1(snis.join(','));
}
