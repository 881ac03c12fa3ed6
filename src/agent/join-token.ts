/**
 * What a join token says, `ID.SECRET.FINGERPRINT`, each base64url: which invitation, 256 bits that only the invited
 * knows, and SHA-256 of the authority's certificate, so that the first connection is to the right controller already.
 */
export type JoinTokenParts = { readonly id: string; readonly secret: string; readonly fingerprint: string };

const pattern = /^([\w-]{11})\.([\w-]{43})\.([\w-]{43})$/;

/** Undefined where the text is no token; white space around it doesn't count. */
export function parseJoinToken(text: string): JoinTokenParts | undefined {
  const [, id, secret, fingerprint] = pattern.exec(text.trim()) ?? [];
  if (id === undefined || secret === undefined || fingerprint === undefined) return undefined;
  return { id, secret, fingerprint };
}

export function formatJoinToken(parts: JoinTokenParts): string {
  return `${parts.id}.${parts.secret}.${parts.fingerprint}`;
}
