import { io, type Socket } from 'socket.io-client'
import type { ClientToServerEvents, ServerToClientEvents } from '../../types/socket'
import { createGuest } from '../guest'

export type WireSocket = Socket<ServerToClientEvents, ClientToServerEvents>
type Name = keyof ServerToClientEvents
type PayloadOf<N extends Name> = Parameters<ServerToClientEvents[N]>[0]

interface Heard {
  name: string
  payload: unknown
}

/** A bare socket.io-client that keeps what it hears, so that a test waits for an event and never for time. */
export class WireClient {
  readonly socket: WireSocket
  readonly userId: string
  readonly token: string
  readonly #heard: Heard[] = []
  readonly #listeners: (() => void)[] = []

  private constructor(socket: WireSocket, userId: string, token: string, all: Set<string>) {
    this.socket = socket
    this.userId = userId
    this.token = token
    socket.onAny((name: string, payload: unknown) => {
      all.add(name)
      this.#heard.push({ name, payload })
      for (const listener of this.#listeners.splice(0)) listener()
    })
  }

  /** A new guest who is connected; `all` collects the names of everything that anybody heard. */
  static async guest(url: string, name: string, all: Set<string>, auth = {}): Promise<WireClient> {
    const guest = await createGuest(name, { url })
    return WireClient.connect(url, guest, all, auth)
  }

  static async connect(
    url: string,
    guest: { userId: string; token: string },
    all: Set<string>,
    auth = {},
  ): Promise<WireClient> {
    const socket: WireSocket = io(url, {
      auth: { token: guest.token, ...auth },
      forceNew: true,
      reconnection: false,
    })
    const client = new WireClient(socket, guest.userId, guest.token, all)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('connect_error', reject)
    })
    return client
  }

  /** The next event of that name that fits, among those heard already and those to come. */
  async hears<N extends Name>(
    name: N,
    fits: (payload: PayloadOf<N>) => boolean = () => true,
  ): Promise<PayloadOf<N>> {
    const deadline = AbortSignal.timeout(10_000)
    for (;;) {
      const place = this.#heard.findIndex(
        (heard) => heard.name === name && fits(heard.payload as PayloadOf<N>),
      )
      const [found] = place < 0 ? [] : this.#heard.splice(place, 1)
      if (found) return found.payload as PayloadOf<N>
      await this.#something(deadline, name)
    }
  }

  /** What was heard of that name and not asked for yet. */
  heard(name: Name): unknown[] {
    return this.#heard.filter((heard) => heard.name === name).map((heard) => heard.payload)
  }

  close(): void {
    this.socket.disconnect()
  }

  #something(deadline: AbortSignal, name: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#listeners.push(resolve)
      deadline.addEventListener('abort', () => reject(new Error(`${name} was not heard`)), {
        once: true,
      })
    })
  }
}
