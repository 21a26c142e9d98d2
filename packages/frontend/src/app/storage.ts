/** What the browser keeps for the page. A browser may refuse: then the page forgets, and works. */
export const STORED = {
  session: 'rejoinder.session',
  theme: 'rejoinder.theme',
  locale: 'rejoinder.locale',
  notifications: 'rejoinder.notifications',
} as const

export type StoredKey = (typeof STORED)[keyof typeof STORED]

export function readStored(key: StoredKey): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

export function writeStored(key: StoredKey, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key)
    else localStorage.setItem(key, value)
  } catch {
    // Refused or full.
  }
}
