import { createGuest } from '../guest'

/** A token, or a way to one; asked for before each attempt, `fresh` after the last was refused. */
export type TokenSource = (fresh: boolean) => Promise<string>

export type TokenOption = string | (() => string | Promise<string>)

/** What a guest's token is kept in: `localStorage` is one. */
export type TokenStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

export interface GuestOptions {
  /** Where the server is; by default where the page came from. */
  url?: string | undefined
  name?: string | undefined
  storage?: TokenStorage | undefined
}

export function tokenSource(token: TokenOption | undefined, guest: GuestOptions): TokenSource {
  if (token === undefined) return guestTokens(guest)
  if (typeof token === 'string') return () => Promise.resolve(token)
  return async () => token()
}

/** The token of a guest, made when there is none yet and kept for the next visit. */
export function guestTokens(options: GuestOptions): TokenSource {
  const storage = options.storage ?? browserStorage()
  const key = options.url === undefined ? 'rejoinder.guest' : `rejoinder.guest:${options.url}`
  return async (fresh) => {
    const kept = fresh ? null : storage.getItem(key)
    if (kept !== null) return kept
    const { token } = await createGuest(options.name ?? 'Guest', { url: options.url })
    storage.setItem(key, token)
    return token
  }
}

/** Where the browser's storage is forbidden or full, a guest lasts as long as the page. */
function browserStorage(): TokenStorage {
  const memory = new Map<string, string>()
  return {
    getItem: (key) => memory.get(key) ?? attempt(() => localStorage.getItem(key)) ?? null,
    setItem: (key, value) => {
      memory.set(key, value)
      attempt(() => localStorage.setItem(key, value))
    },
    removeItem: (key) => {
      memory.delete(key)
      attempt(() => localStorage.removeItem(key))
    },
  }
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}
