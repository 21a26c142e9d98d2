import { io, type Socket } from 'socket.io-client'
import type {
  ChatMessage,
  ClientToServerEvents,
  Failure,
  HistoryAck,
  MessageAck,
  RoomAck,
  ServerToClientEvents,
} from '../../src/lib/types/socket'
import type { Session } from './person'

type ChatSocket = Socket<ServerToClientEvents, ClientToServerEvents>

export function roomIdOf(address: string): string {
  const id = /#\/room\/(.+)$/.exec(address)?.[1]
  if (id === undefined) throw new Error(`${address} leads to no room`)
  return decodeURIComponent(id)
}

export async function createGuest(server: string, name: string): Promise<Session> {
  const response = await fetch(`${server}/api/guest`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  })
  if (!response.ok) throw new Error(`No guest: ${response.status} ${await response.text()}`)
  return (await response.json()) as Session
}

/** Somebody in a room without a page: to see what is stored, and to write a lot. */
export class Visitor {
  readonly #socket: ChatSocket
  readonly #roomId: string

  private constructor(socket: ChatSocket, roomId: string) {
    this.#socket = socket
    this.#roomId = roomId
  }

  static async enter(server: string, roomId: string, name = 'Visitor'): Promise<Visitor> {
    const { token } = await createGuest(server, name)
    const socket: ChatSocket = io(server, { auth: { token }, forceNew: true })
    const visitor = new Visitor(socket, roomId)
    await visitor.#ask<RoomAck>((done) => socket.emit('room:join', { roomId }, done))
    return visitor
  }

  leave(): void {
    this.#socket.disconnect()
  }

  async say(content: string): Promise<void> {
    const roomId = this.#roomId
    await this.#ask<MessageAck>((done) =>
      this.#socket.emit('message:send', { roomId, content }, done),
    )
  }

  type(): void {
    this.#socket.emit('typing:start', { roomId: this.#roomId })
  }

  /** Everything that the room's log holds. */
  async stored(): Promise<ChatMessage[]> {
    const messages: ChatMessage[] = []
    for (let hasMore = true; hasMore; ) {
      const before = messages[0]?.id
      const page = await this.#ask<HistoryAck>((done) =>
        this.#socket.emit(
          'messages:history',
          { roomId: this.#roomId, limit: 100, ...(before ? { before } : {}) },
          done,
        ),
      )
      messages.unshift(...page.messages)
      hasMore = page.hasMore
    }
    return messages
  }

  #ask<T>(emit: (done: (reply: T | Failure | MessageAck) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#socket.once('connect_error', reject)
      emit((reply) => {
        if ((reply as { success: boolean }).success) resolve(reply as T)
        else reject(new Error(`Refused: ${JSON.stringify(reply)}`))
      })
    })
  }
}

export async function storedIn(server: string, address: string): Promise<ChatMessage[]> {
  const visitor = await Visitor.enter(server, roomIdOf(address))
  try {
    return await visitor.stored()
  } finally {
    visitor.leave()
  }
}

/** More people than one, since one may send only so many messages at a time. */
export async function fill(server: string, address: string, count: number): Promise<void> {
  const each = 15
  for (let sent = 0; sent < count; ) {
    const visitor = await Visitor.enter(server, roomIdOf(address))
    for (let own = 0; own < each && sent < count; own++) await visitor.say(`number ${++sent}`)
    visitor.leave()
  }
}
