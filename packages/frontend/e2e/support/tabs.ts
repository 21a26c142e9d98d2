import type { CDPSession, WebSocket } from 'playwright-core'
import { expect } from 'vitest'
import type { Person } from './person'
import type { Stage } from './stage'

export const OPERATOR = 'operator-of-the-tests'

/** How many connections the server has of somebody. */
export async function connectionsOf({ server }: Stage, userId: string): Promise<number> {
  const response = await fetch(`${server.url}/api/connections`, {
    headers: { authorization: `Bearer ${OPERATOR}` },
  })
  const connections = (await response.json()) as { id: string }[]
  return connections.filter(({ id }) => id === userId).length
}

/** What a tab has to do with the server by itself; to be set up before the page is opened. */
export class TabWires {
  readonly #open = new Set<WebSocket>()
  readonly #person: Person

  constructor(person: Person) {
    this.#person = person
    person.page.on('websocket', (socket) => {
      if (!socket.url().includes('socket.io')) return
      this.#open.add(socket)
      socket.on('close', () => this.#open.delete(socket))
    })
    person.page.on('crash', () => this.#open.clear())
    person.page.on('close', () => this.#open.clear())
  }

  /** Whether it is this tab that has the connection. */
  get hasConnection(): boolean {
    return this.#open.size > 0
  }

  /** The page's process ends, as for want of memory. */
  async crash(): Promise<void> {
    const crashed = this.#person.page.waitForEvent('crash')
    const debug = await this.debug()
    debug.send('Page.crash').catch(() => undefined)
    await crashed
  }

  debug(): Promise<CDPSession> {
    return this.#person.context.newCDPSession(this.#person.page)
  }

  async becomes(hasConnection: boolean): Promise<void> {
    await expect.poll(() => this.hasConnection, { timeout: 30_000 }).toBe(hasConnection)
  }
}
