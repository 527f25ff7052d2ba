import type { KeyObject } from 'node:crypto'
import { SignatureError } from '../errors.js'
import { builtin } from '../lib/builtin.js'

/** A new pair of Ed25519 keys. */
export interface KeyPair {
  /** PKCS #8 in PEM. A secret: never printed, never part of an error. */
  readonly privatePem: string
  /** SPKI in PEM. */
  readonly publicPem: string
  /** The public key in one line: its 32 bytes in base64url. */
  readonly publicLine: string
}

export function generateKeys(): KeyPair {
  const { publicKey, privateKey } = builtin('node:crypto').generateKeyPairSync('ed25519')
  return {
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    publicLine: publicKey.export({ format: 'jwk' }).x!
  }
}

/**
 * Reads a public key: PEM, or 43 characters of base64url.
 *
 * @throws SignatureError (`MOE_ERR_SIGNATURE`) without the text, which may be a private key
 */
export function readPublicKey(text: string): KeyObject {
  const written = text.trim()
  if (/PRIVATE KEY/.test(written)) refuse('It is a private key: whoever reads the configuration could sign lists.')
  try {
    const isLine = /^[\w-]{43}$/.test(written)
    const key = builtin('node:crypto').createPublicKey(
      isLine ? { key: { kty: 'OKP', crv: 'Ed25519', x: written }, format: 'jwk' } : written
    )
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // The error of OpenSSL helps nobody.
  }
  return refuse('It is not an Ed25519 public key in PEM, or in the 43 characters that keygen prints.')
}

/**
 * Reads a private key in PEM.
 *
 * @throws SignatureError (`MOE_ERR_SIGNATURE`) without the text
 */
export function readPrivateKey(pem: string): KeyObject {
  if (/PUBLIC KEY/.test(pem)) {
    throw new SignatureError({
      value: '…',
      message: 'The key file holds a public key, which signs nothing.',
      fix: 'Name the private key: keygen writes it to the file without ".pub".'
    })
  }
  try {
    const key = builtin('node:crypto').createPrivateKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // The error of OpenSSL helps nobody.
  }
  throw new SignatureError({
    value: '…',
    message: 'The key file holds no Ed25519 private key in PEM without a passphrase.',
    fix: 'Make one: moengage-allowlist keygen.'
  })
}

function refuse(message: string): never {
  throw new SignatureError({ value: '…', message, fix: 'Name the public key that moengage-allowlist keygen prints.' })
}
