import { vi } from 'vitest'

/** Waits for something that another process or the network brings about; what it returns. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 15_000, interval: 5 })
}
