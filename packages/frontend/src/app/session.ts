/** Who is signed in, and how that is kept. */
export interface Session {
  token: string
  userId: string
  name: string
}

export function parseSession(stored: string | null): Session | null {
  if (stored === null) return null
  const value = parseJson(stored)
  const token = textIn(value, 'token')
  const userId = textIn(value, 'userId')
  if (token === undefined || userId === undefined) return null
  return { token, userId, name: textIn(value, 'name') ?? userId }
}

/** Reads a pasted token for its user. Only the server can say whether it is valid. */
export function sessionOfToken(pasted: string): Session | null {
  const token = pasted.trim()
  const parts = token.split('.')
  if (parts.length !== 3) return null
  const claims = parseJson(decodeBase64Url(parts[1] ?? ''))
  const userId = textIn(claims, 'sub')
  return userId === undefined ? null : { token, userId, name: textIn(claims, 'name') ?? userId }
}

function textIn(value: unknown, key: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const found: unknown = Reflect.get(value, key)
  return typeof found === 'string' && found !== '' ? found : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function decodeBase64Url(text: string): string {
  try {
    const bytes = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
    return new TextDecoder().decode(Uint8Array.from(bytes, (each) => each.charCodeAt(0)))
  } catch {
    return ''
  }
}
