/**
 * Clients for the instrument that breaks servers (`make chaos`): reads its plan and its commands from standard input, a
 * JSON object a line, and writes down what its clients send and hear, as the instrument's Python clients do.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { ChatMessage, RoomAck } from '../../types/socket'
import {
  type ChatClient,
  createChat,
  createConnection,
  type ManagedConnection,
  socketTransport,
} from '..'
import { pick, seeded } from './random'

interface Seat {
  name: string
  user: string
  token: string
  url: string
  room: string
  /** Whether the character answers what it writes. */
  asks: boolean
}

interface Plan {
  log: string
  seed: number
  character: string
  /** Things done by each client in a second. */
  rate: number
  seats: Seat[]
}

type Command =
  | { do: 'move'; rooms: Record<string, string> }
  | { do: 'quiet' }
  | { do: 'status' }
  | { do: 'lacks'; newest: Record<string, number> }
  | { do: 'finish' }

type Fields = Record<string, unknown>
type Callback = (reply: Fields & { success: boolean }) => void

const HEARD = new Set([
  'message:new',
  'message:stream:start',
  'message:stream:chunk',
  'message:stream:end',
  'message:stream:error',
  'room:resync',
])
const SENDS = new Set(['message:send', 'message:send:stream'])
const ORDERS = ['say 3 0', 'say 20 30', 'say 12 100'] as const
const FLUSH_MS = 50

const lines: string[] = []
let path = ''

function flush(): void {
  if (lines.length > 0) appendFileSync(path, lines.splice(0).join(''))
}

/** The clock that Python calls monotonic. */
const now = () => Number(process.hrtime.bigint() / 1000n) / 1e6

function record(k: string, fields: Fields): void {
  lines.push(`${JSON.stringify({ k, t: now(), ...fields })}\n`)
}

class Client {
  readonly #seat: Seat
  readonly #character: string
  readonly #chance: () => number
  readonly #chat: ChatClient = createChat()
  readonly #connection: ManagedConnection
  readonly #channel: ReturnType<typeof socketTransport>
  #conn = 0
  #written = 0
  #unbind: () => void = () => undefined
  readonly #waiting = new Set<string>()

  constructor(seat: Seat, plan: Plan, chance: () => number) {
    this.#seat = seat
    this.#character = plan.character
    this.#chance = chance
    const { socket, connection } = createConnection({
      url: seat.url,
      token: seat.token,
      heartbeatInterval: 3_000,
      reconnectionDelay: 200,
      reconnectionDelayMax: 1_500,
      maxReconnectionAttempts: 1_000_000,
    })
    this.#connection = connection
    this.#listen(socket as unknown as Listened)
    this.#channel = socketTransport(socket)
    this.#bind()
    connection.connect()
  }

  get isSettled(): boolean {
    const { isInRoom, messages, pendingMessages, streamingMessages } = this.#chat.getSnapshot()
    const isDone = messages.every(({ status }) => status === 'sent')
    const isBusy = pendingMessages.length + streamingMessages.size + this.#waiting.size > 0
    return isInRoom && isDone && !isBusy
  }

  get #isWhole(): boolean {
    const held = this.#chat.getSnapshot().messages.filter(({ status }) => status === 'sent')
    return held.every(({ seq }, at) => seq === (held[0]?.seq ?? 0) + at)
  }

  get trouble(): string {
    const { isInRoom, pendingMessages, streamingMessages } = this.#chat.getSnapshot()
    const { connectionState } = this.#connection.getSnapshot()
    return `${this.#seat.name}: ${connectionState}, inside ${isInRoom}, ${pendingMessages.length} pending, ${streamingMessages.size} running, ${this.#waiting.size} waiting`
  }

  /** Whether it has not heard of the last row of its room, as told. */
  lacks(newest: Record<string, number>): boolean {
    const held = this.#chat.getSnapshot().messages.map(({ seq }) => seq ?? 0)
    return Math.max(0, ...held) < (newest[this.#seat.room] ?? 0)
  }

  act(): void {
    const chance = this.#chance()
    const { messages, streamingMessages, hasMore } = this.#chat.getSnapshot()
    const [running] = streamingMessages.keys()
    const writes = this.#seat.asks ? 0.1 : 0.86
    if (this.#waiting.size < 12 && chance < writes) void this.#write()
    else if (chance < 0.86) return
    else if (chance < 0.9 && running !== undefined) void this.#ask('message:stream:stop', running)
    else if (chance < 0.91 && messages.length > 0) this.#regenerate(messages)
    else if (chance < 0.95 && hasMore) void this.#chat.loadMessageHistory(50)
    else if (chance < 0.97) this.#chat.startTyping()
    else if (chance < 0.98) this.#connection.reconnect()
  }

  /** Another room, once everything of this one is settled, and nothing is missing in between. */
  move(room: string): void {
    if (room === this.#seat.room || this.#waiting.size > 0 || !this.#isWhole) return
    this.show(false)
    this.#seat.room = room
    this.#unbind()
    this.#bind()
  }

  show(final: boolean): void {
    const { messages } = this.#chat.getSnapshot()
    const rows = messages.filter(({ status }) => status === 'sent').map(bare)
    record('shown', { client: this.#seat.name, room: this.#seat.room, rows, final })
  }

  #bind(): void {
    const { room, user } = this.#seat
    this.#unbind = this.#chat.bind({
      channel: this.#channel,
      isConnected: true,
      roomId: room,
      userId: user,
      characterId: this.#seat.asks ? this.#character : undefined,
    })
  }

  async #write(): Promise<void> {
    this.#written += 1
    const { name, room, asks } = this.#seat
    const key = `${name}.${this.#written}`
    const order = pick(this.#chance, ORDERS)
    const content = asks ? `${key} ${order}` : `${key} aus 👩‍👩‍👧 한국어`
    this.#waiting.add(key)
    let isSent = await this.#chat.sendMessage(content)
    // As a person does: what failed is sent once more.
    while (!isSent) {
      const failed = this.#chat
        .getSnapshot()
        .messages.find((message) => message.content === content)
      if (failed === undefined || failed.status === 'sent') break
      isSent = await this.#chat.retryMessage(failed.id)
    }
    const stored = this.#chat.getSnapshot().messages.find((message) => message.content === content)
    if (stored !== undefined) record('confirmed', { client: name, room, id: stored.id })
    this.#waiting.delete(key)
  }

  #regenerate(messages: readonly ChatMessage[]): void {
    const answer = messages.findLast(
      ({ role, state }) => role === 'character' && state !== 'streaming',
    )
    if (answer) void this.#ask('message:regenerate', answer.id)
  }

  async #ask(event: 'message:stream:stop' | 'message:regenerate', id: string): Promise<void> {
    const common = { client: this.#seat.name, conn: this.#conn, event, room: this.#seat.room, id }
    record('asked', common)
    const ok = await (event === 'message:regenerate'
      ? this.#chat.regenerate(id)
      : this.#chat.stopStream(id))
    record('replied', { ...common, ok })
  }

  /** Writes down all that goes over a socket, before anybody else hears of it. */
  #listen(socket: Listened): void {
    const { name: client, user } = this.#seat
    socket.on('connect', () => {
      this.#conn += 1
      record('opened', { client, user, conn: this.#conn })
    })
    socket.on('disconnect', (why) => record('closed', { client, conn: this.#conn, why: `${why}` }))
    socket.onAny((event: string, payload: Fields) => {
      if (HEARD.has(event)) record('heard', { client, conn: this.#conn, event, payload })
    })
    const emit = socket.emit.bind(socket)
    socket.emit = (event, payload = {}, callback) => {
      const conn = this.#conn
      this.#noteSent(event, payload, conn)
      if (callback === undefined) return emit(event, payload)
      return emit(event, payload, (reply) => {
        this.#noteReply(event, payload, reply, conn)
        callback(reply)
      })
    }
  }

  #noteSent(event: string, payload: Fields, conn: number): void {
    const { roomId: room, messageId: id, content } = payload
    // The client leaves without waiting for a reply.
    if (event === 'room:leave') record('left', { client: this.#seat.name, conn, room })
    if (!SENDS.has(event)) return
    const asks = event === 'message:send:stream'
    record('sent', { client: this.#seat.name, conn, room, id, content, asks })
  }

  #noteReply(event: string, payload: Fields, reply: Fields & { success: boolean }, conn: number) {
    const { roomId: room, messageId: id } = payload
    const common = { client: this.#seat.name, conn, room }
    const { seq, duplicate, code, success: ok } = reply
    if (SENDS.has(event)) record('acked', { ...common, id, ok, seq, duplicate, code })
    if (!ok) return
    if (event === 'room:join' || event === 'room:rejoin') {
      const snapshot = reply as unknown as RoomAck
      record('entered', { ...common, snapshot, position: payload['lastMessageId'] })
    } else if (event === 'messages:history') {
      const { before, after } = payload
      const { messages, hasMore: has_more } = reply
      record('paged', { ...common, messages, has_more, before, after })
    }
  }
}

/** A socket of socket.io-client without its overloads. */
interface Listened {
  on(event: string, listener: (why?: unknown) => void): unknown
  onAny(listener: (event: string, payload: Fields) => void): unknown
  emit: (event: string, payload?: Fields, callback?: Callback) => unknown
}

function bare({ id, seq, content, state, senderId, replyTo }: ChatMessage): Fields {
  return { id, seq, content, state, senderId, replyTo }
}

function begin(plan: Plan): (command: Command) => void {
  path = plan.log
  const chance = seeded(plan.seed)
  const clients = new Map(plan.seats.map((seat) => [seat.name, new Client(seat, plan, chance)]))
  let isQuiet = false
  setInterval(flush, FLUSH_MS)
  for (const client of clients.values()) {
    const next = () => {
      if (isQuiet) return
      client.act()
      setTimeout(next, (-Math.log(1 - chance()) * 1000) / plan.rate)
    }
    next()
  }
  return (command) => {
    if (command.do === 'move') {
      for (const [name, room] of Object.entries(command.rooms)) clients.get(name)?.move(room)
    } else if (command.do === 'quiet') isQuiet = true
    else if (command.do === 'status') {
      const troubles = [...clients.values()].filter(({ isSettled }) => !isSettled)
      process.stdout.write(`${JSON.stringify(troubles.map(({ trouble }) => trouble))}\n`)
    } else if (command.do === 'lacks') {
      const lacking = [...clients].filter(([, client]) => client.lacks(command.newest))
      process.stdout.write(`${JSON.stringify(lacking.map(([name]) => name))}\n`)
    } else {
      for (const client of clients.values()) client.show(true)
      flush()
      process.stdout.write('[]\n', () => process.exit(0))
    }
  }
}

const plan = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Plan
const obey = begin(plan)
createInterface(process.stdin).on('line', (line) => obey(JSON.parse(line) as Command))
// Who has started it is gone.
process.stdin.on('end', () => process.exit(1))
