import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server, type Socket } from 'socket.io'
import type {
  ChatMessage,
  ClientToServerEvents,
  MessageSend,
  RoomAck,
  RoomEntry,
  ServerToClientEvents,
} from '../../types/socket'

type PeerSocket = Socket<ClientToServerEvents, ServerToClientEvents>

/** A server of npm's `socket.io` with the least that a chat needs, and with switches for trouble. */
export class Peer {
  readonly #http = createServer((request, response) => {
    const isGuest = request.url === '/api/guest' && request.method === 'POST'
    response.statusCode = isGuest ? 200 : 404
    response.setHeader('content-type', 'application/json')
    if (isGuest) this.guests += 1
    response.end(JSON.stringify(isGuest ? { token: 'guest', userId: 'guest', name: 'Guest' } : {}))
  })
  readonly io = new Server<ClientToServerEvents, ServerToClientEvents>(this.#http)
  readonly log: ChatMessage[] = []
  /** How often each message came, by its content. */
  readonly received = new Map<string, number>()
  guests = 0
  /** How often a room was entered, and left. */
  entries = 0
  exits = 0
  /** Tokens that are let in; all of them where it is not set. */
  accepted: Set<string> | null = null
  /** So many acknowledgements of messages are swallowed, though the messages are stored. */
  swallowedAcks = 0

  static async start(): Promise<Peer> {
    const peer = new Peer()
    await new Promise<void>((resolve) => peer.#http.listen(0, '127.0.0.1', resolve))
    return peer
  }

  private constructor() {
    this.io.use((socket, next) => {
      const token: unknown = socket.handshake.auth['token']
      if (this.accepted === null || (typeof token === 'string' && this.accepted.has(token))) next()
      else next(Object.assign(new Error('who are you?'), { data: { code: 'unauthorized' } }))
    })
    this.io.on('connection', (socket) => this.#serve(socket))
  }

  get url(): string {
    const { port } = this.#http.address() as AddressInfo
    return `http://127.0.0.1:${port}`
  }

  /** Cuts every connection as a broken network would. */
  cut(): void {
    for (const socket of this.io.sockets.sockets.values()) socket.conn.close()
  }

  async stop(): Promise<void> {
    await this.io.close()
  }

  #serve(socket: PeerSocket): void {
    socket.on('room:join', (entry, ack) => ack?.(this.#enter(socket, entry)))
    socket.on('room:rejoin', (entry, ack) => {
      const snapshot = this.#enter(socket, entry)
      socket.emit('room:rejoined', snapshot)
      ack?.(snapshot)
    })
    socket.on('room:leave', ({ roomId }, ack) => {
      this.exits += 1
      void socket.leave(roomId)
      ack?.({ success: true })
    })
    for (const event of ['message:send', 'message:send:stream'] as const)
      socket.on(event, (send, ack) => {
        const stored = this.#store(send)
        if (this.swallowedAcks > 0) this.swallowedAcks -= 1
        else
          ack?.({
            success: true,
            messageId: stored.id,
            timestamp: stored.timestamp,
            seq: stored.seq,
          })
      })
  }

  #enter(socket: PeerSocket, { roomId, lastMessageId }: RoomEntry): RoomAck {
    this.entries += 1
    void socket.join(roomId)
    const place = this.log.findIndex(({ id }) => id === lastMessageId)
    return {
      success: true,
      roomId,
      recovered: place >= 0,
      messages: this.log.slice(place + 1),
      hasMore: false,
      lastSeq: this.log.length,
      members: [],
      read: [],
      streams: [],
    }
  }

  #store({ roomId, content, messageId }: MessageSend): ChatMessage {
    this.received.set(content, (this.received.get(content) ?? 0) + 1)
    const known = this.log.find(({ id }) => id === messageId)
    if (known) return known
    const message: ChatMessage = {
      id: messageId ?? `m${this.log.length + 1}`,
      roomId,
      seq: this.log.length + 1,
      role: 'user',
      senderId: 'guest',
      content,
      state: 'complete',
      timestamp: new Date().toISOString(),
    }
    this.log.push(message)
    if (this.swallowedAcks === 0) this.io.to(roomId).emit('message:new', message)
    return message
  }
}
