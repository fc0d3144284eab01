import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Json, JsonObject } from '../json.js';

/**
 * What is wrong with the certificates and keys of an object, in the gateway's words. References (`$env://…`,
 * `$secret://…`) and keys that are ciphertext are not looked into, and no key is compared with its certificate.
 */
export function certificateProblem(conf: JsonObject): string | undefined {
  const pairs: readonly (readonly [Json | undefined, Json | undefined])[] = [
    [conf['cert'], conf['key']],
    ...listOf(conf['certs']).map((cert, index): [Json | undefined, Json | undefined] => [
      cert,
      listOf(conf['keys'])[index],
    ]),
  ];
  if (conf['certs'] !== undefined && listOf(conf['certs']).length !== listOf(conf['keys']).length) {
    return 'mismatched number of certs and keys';
  }
  for (const [index, [cert, key]] of pairs.entries()) {
    const problem = certProblem(cert) ?? keyProblem(key);
    if (problem !== undefined) return index === 0 ? problem : `failed to handle cert-key pair[${index}]: ${problem}`;
  }
  return undefined;
}

function certProblem(cert: Json | undefined): string | undefined {
  if (typeof cert !== 'string' || cert.startsWith('$')) return undefined;
  try {
    void new X509Certificate(cert);
    return undefined;
  } catch {
    return 'failed to parse cert: PEM_read_bio_X509_AUX() failed';
  }
}

function keyProblem(key: Json | undefined): string | undefined {
  if (typeof key !== 'string' || !key.startsWith('---')) return undefined;
  try {
    void createPrivateKey(key);
    return undefined;
  } catch {
    return 'failed to parse key: PEM_read_bio_PrivateKey() failed';
  }
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
