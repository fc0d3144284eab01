import { createHash, createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import tls, { type SecureContext } from 'node:tls';
import { AdcError, type Problem } from '../model/errors.js';
import type { TlsIdentity } from './pool.js';

/** How messages call the parts of a TLS identity. */
export interface IdentityNames {
  readonly caCert: string;
  readonly tlsClientCert: string;
  readonly tlsClientKey: string;
}

/** A TLS identity that was checked, ready for handshakes. */
export interface Identity {
  /** SHA-256 in hex over everything that tells identities apart; `plain` for http. */
  readonly hash: string;
  readonly secureContext?: SecureContext;
  /** The name to send and to verify; absent where it is the host of the URL. */
  readonly serverName?: string;
  readonly verify: boolean;
  readonly clientCertificate: boolean;
}

/** The identity of a connection without TLS. */
export const plainIdentity: Identity = { hash: 'plain', verify: true, clientCertificate: false };

type Field = keyof IdentityNames;

const standardNames: IdentityNames = {
  caCert: 'caCert',
  tlsClientCert: 'tlsClientCert',
  tlsClientKey: 'tlsClientKey',
};

/** Hashes what makes a TLS connection usable for one caller and not for another. A token is no part of it. */
export function identityHash(identity: TlsIdentity): string {
  const { ca, cert, key, passphrase, serverName, verify, systemCa, minVersion } = identity;
  const parts = [
    ca?.trim() ?? null,
    cert?.trim() ?? null,
    key?.trim() ?? null,
    passphrase ?? null,
    serverName ?? null,
    verify ?? true,
    systemCa ?? ca === undefined,
    minVersion ?? null,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/**
 * Checks certificates and keys before any connection is made with them: PEM or not, expired, key and certificate not
 * belonging together, one without the other, an encrypted key without its passphrase or with a wrong one.
 *
 * @param names how messages call the parts; by default as the server's requests do
 * @throws AdcError `tls_material` with all problems at once, each naming the part, its path being the standard name
 */
export function checkIdentity(identity: TlsIdentity, names: IdentityNames = standardNames): void {
  const { ca, cert, key, passphrase } = identity;
  const now = Date.now();
  const trusted = ca === undefined ? undefined : parseCertificates(ca);
  const chain = cert === undefined ? undefined : parseCertificates(cert);
  const secret = key === undefined ? undefined : parseKey(key, passphrase);
  const leaf = Array.isArray(chain) ? chain[0] : undefined;
  const said: (readonly [Field, string | undefined])[] = [
    ['caCert', typeof trusted === 'string' ? trusted : whyNotTrusted(trusted ?? [], now)],
    ['tlsClientCert', typeof chain === 'string' ? chain : whyNotValid(chain ?? [], now)],
    ['tlsClientKey', typeof secret === 'string' ? secret : undefined],
    [
      'tlsClientKey',
      cert !== undefined && key === undefined ? `missing, while ${names.tlsClientCert} is given` : undefined,
    ],
    [
      'tlsClientCert',
      key !== undefined && cert === undefined ? `missing, while ${names.tlsClientKey} is given` : undefined,
    ],
    [
      'tlsClientKey',
      leaf !== undefined && typeof secret === 'object' && !leaf.checkPrivateKey(secret)
        ? `does not match the certificate in ${names.tlsClientCert}`
        : undefined,
    ],
  ];
  report(said, names);
}

/**
 * Checks an identity and prepares it for handshakes.
 *
 * @throws AdcError `tls_material`
 */
export function prepareIdentity(identity: TlsIdentity, hash: string = identityHash(identity)): Identity {
  checkIdentity(identity);
  const { ca, cert, key, passphrase, serverName, verify, minVersion } = identity;
  const trusted = trustedCertificates(ca, identity.systemCa);
  try {
    const secureContext = tls.createSecureContext({
      ...(trusted && { ca: trusted }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(passphrase !== undefined && { passphrase }),
      ...(minVersion && { minVersion }),
    });
    return {
      hash,
      secureContext,
      ...(serverName !== undefined && { serverName }),
      verify: verify ?? true,
      clientCertificate: cert !== undefined,
    };
  } catch (error) {
    // Rules of OpenSSL beyond those above, such as a key that is too small for its security level.
    const field: Field = cert === undefined ? 'caCert' : 'tlsClientCert';
    return report(
      [[field, `cannot be used: ${error instanceof Error ? error.message : String(error)}`]],
      standardNames,
    );
  }
}

function report(said: readonly (readonly [Field, string | undefined])[], names: IdentityNames): never;
function report(said: readonly (readonly [Field, string | undefined])[], names: IdentityNames): void;
function report(said: readonly (readonly [Field, string | undefined])[], names: IdentityNames): void {
  const problems = said.flatMap(([field, text]): Problem[] =>
    text === undefined ? [] : [{ message: `${names[field]}: ${text}`, path: [field] }],
  );
  if (problems.length > 0) {
    throw new AdcError('tls_material', problems.map((problem) => problem.message).join('; '), { problems });
  }
}

const pemBlock = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

/** Gives the certificates of a PEM text, or what is wrong with it. */
function parseCertificates(pem: string): readonly X509Certificate[] | string {
  const blocks = [...pem.matchAll(pemBlock)];
  const certificates = blocks.filter((block) => /^(X509 |TRUSTED )?CERTIFICATE$/.test(block[1] ?? ''));
  if (certificates.length === 0) {
    const other = blocks[0]?.[1];
    return other === undefined ? 'not PEM: no certificate found' : `holds a ${other}, not a CERTIFICATE`;
  }
  const parsed: X509Certificate[] = [];
  for (const [index, [text]] of certificates.entries()) {
    try {
      parsed.push(new X509Certificate(text));
    } catch {
      return `certificate ${index + 1} of ${certificates.length} cannot be decoded`;
    }
  }
  return parsed;
}

/** Gives the key of a PEM text, or what is wrong with it. OpenSSL's own message is kept out: it may quote the text. */
function parseKey(pem: string, passphrase: string | undefined): KeyObject | string {
  const label = [...pem.matchAll(pemBlock)].map((block) => block[1] ?? '').find((text) => text.endsWith('PRIVATE KEY'));
  if (label === undefined) {
    return pem.includes('-----BEGIN CERTIFICATE-----')
      ? 'holds a CERTIFICATE, not a PRIVATE KEY'
      : 'not PEM: no private key found';
  }
  const encrypted = label.startsWith('ENCRYPTED') || /Proc-Type:\s*4,\s*ENCRYPTED/.test(pem);
  if (encrypted && passphrase === undefined) return 'is encrypted, and no passphrase is given';
  try {
    return createPrivateKey({ key: pem, ...(passphrase !== undefined && { passphrase }) });
  } catch {
    return encrypted ? 'cannot be decrypted: the passphrase is wrong' : 'the private key cannot be decoded';
  }
}

/** A certificate chain is as good as each of its certificates. */
function whyNotValid(chain: readonly X509Certificate[], now: number): string | undefined {
  return chain.map((certificate) => whyNotNow(certificate, now)).find((text) => text !== undefined);
}

/** Of a bundle of authorities one that is valid is enough: bundles in use do hold expired ones. */
function whyNotTrusted(bundle: readonly X509Certificate[], now: number): string | undefined {
  const said = bundle.map((certificate) => whyNotNow(certificate, now));
  return said.length > 0 && said.every((text) => text !== undefined) ? said[0] : undefined;
}

function whyNotNow(certificate: X509Certificate, now: number): string | undefined {
  const from = Date.parse(certificate.validFrom);
  const to = Date.parse(certificate.validTo);
  const subject = certificate.subject.replaceAll('\n', ', ');
  if (to < now) return `the certificate of ${subject} expired on ${new Date(to).toISOString()}`;
  if (from > now) return `the certificate of ${subject} is not valid before ${new Date(from).toISOString()}`;
  return undefined;
}

/** What Node 22.15 and later offer; the types are those of Node 20. */
interface CertificateStores {
  readonly rootCertificates: readonly string[];
  getCACertificates?(store: 'default' | 'system'): readonly string[];
}

/** The authorities to trust; undefined for Node's default store. */
function trustedCertificates(ca: string | undefined, systemCa: boolean | undefined): string[] | undefined {
  if (!(systemCa ?? ca === undefined)) return ca === undefined ? [] : [ca];
  if (ca === undefined && systemCa === undefined) return undefined;
  const stores: CertificateStores = tls;
  const base = stores.getCACertificates?.('default') ?? stores.rootCertificates;
  const system = stores.getCACertificates?.('system') ?? [];
  return [...new Set([...(ca === undefined ? [] : [ca]), ...base, ...system])];
}
