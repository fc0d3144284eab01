import { isJsonObject, type Json } from '../../model/json.js';

const secretName =
  /(^|[_-])(key|keys|client_key|secret|password|passwd|token|private|credential|api_?key|auth)([_-]|$)|secret|password|token/i;

/** A document with what looks like a secret masked. */
export function mask(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => mask(item));
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([key, content]): [string, Json] => {
    if (typeof content === 'string' && secretName.test(key)) return [key, '***'];
    return [key, mask(content)];
  });
  return Object.fromEntries(entries);
}

/** A text with the secrets of a document masked wherever the text repeats them. */
export function maskText(text: string, document: Json | undefined): string {
  if (document === undefined) return text;
  let masked = text;
  for (const secret of secretsOf(document)) masked = masked.replaceAll(secret, '***');
  return masked;
}

function secretsOf(value: Json): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item: Json) => secretsOf(item));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, content]) =>
    typeof content === 'string' && secretName.test(key) && content.length > 3 ? [content] : secretsOf(content),
  );
}
