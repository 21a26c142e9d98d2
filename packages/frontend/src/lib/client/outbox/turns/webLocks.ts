import type { Turn, TurnHandlers, Turns } from './turns'

/** Among all tabs, by the browser's locks; it frees those of a tab that is closed or crashes. */
export function lockTurns(locks: LockManager): Turns {
  return {
    take: (name, handlers) => new LockTurn(locks, name, handlers),
    isFree: async (name) => {
      try {
        return await locks.request(name, { ifAvailable: true }, async (lock) => lock !== null)
      } catch {
        return true
      }
    },
  }
}

interface Request {
  readonly abort: AbortController
  isOurs: boolean
  /** Gives the lock back. */
  free: () => void
}

class LockTurn implements Turn {
  readonly #locks: LockManager
  readonly #name: string
  readonly #handlers: TurnHandlers
  #request: Request | null = null

  constructor(locks: LockManager, name: string, handlers: TurnHandlers) {
    this.#locks = locks
    this.#name = name
    this.#handlers = handlers
    this.#ask(false)
  }

  readonly release = (): void => {
    const request = this.#request
    this.#request = null
    request?.abort.abort()
    request?.free()
  }

  insist(): void {
    if (!this.#request || this.#request.isOurs) return
    this.release()
    this.#ask(true)
  }

  #ask(isForced: boolean): void {
    const request: Request = {
      abort: new AbortController(),
      isOurs: false,
      free: () => undefined,
    }
    this.#request = request
    const options = isForced ? { steal: true } : { signal: request.abort.signal }
    const hold = () => {
      if (this.#request !== request) return undefined
      request.isOurs = true
      return new Promise<void>((free) => {
        request.free = free
        this.#handlers.onTurn()
      })
    }
    this.#locks.request(this.#name, options, hold).catch(() => {
      if (this.#request !== request) return
      if (request.isOurs) {
        this.#handlers.onLost()
        if (this.#request === request) this.#ask(false)
      } else {
        // The page has no locks after all: each tab sends, and the server takes each message once.
        request.isOurs = true
        this.#handlers.onTurn()
      }
    })
  }
}
