import type { ChatMessage, MessageDeleted, RoomAck, StreamEnd } from '../../types/socket'
import { isHeld, watchRoom } from '../chat/holding'
import { type Readable, Store, type Unsubscribe } from '../store'
import type { Clock } from '../time/clock'
import type { Channel } from '../transport/transport'
import { BackgroundEntries } from './entries'
import { arrived, count, type ListedRoom, listed, nothingUnread, read, type Unread } from './rules'

/** A room in one's list, as far as it matters here. */
export interface KnownRoom extends ListedRoom {
  roomId: string
  lastMessage?: { id: string } | undefined
}

export interface UnreadBinding {
  channel: Channel | null
  /** One's rooms, the ones with the newest messages first. */
  rooms: readonly KnownRoom[]
  /** Who one is, where the channel does not know it. */
  userId?: string | undefined
}

export interface UnreadParts {
  clock: Clock
  /** How long an answer is waited for. */
  ackTimeout: number
  /** So many of one's rooms are entered without being in view. */
  roomsMax: number
  /** How long a message that is missing may be on its way, and something passing is waited for. */
  patience: number
}

export interface UnreadHandlers {
  /** Somebody else's message is there, whole; in whichever of the rooms. */
  onMessage?: ((message: ChatMessage) => void) | undefined
  /** The text of a message was taken away; in whichever of the rooms. */
  onDeleted?: ((deleted: MessageDeleted) => void) | undefined
  /** The list of rooms does not fit any more: it should be asked for again. */
  onStale?: (() => void) | undefined
}

/** How many messages are unread in each room, and in all of them. */
export interface UnreadCounts {
  readonly rooms: ReadonlyMap<string, number>
  readonly total: number
}

interface Tracked {
  unread: Unread
  /** The newest message up to which nothing was missed since the list. */
  position: { id: string | undefined; seq: number }
  readonly answers: Map<string, ChatMessage>
  /** Set while it is one of those that are entered. */
  stopWatching: (() => boolean) | null
}

const ANSWERS_MAX = 50

/** Knows what is unread in one's rooms, also in those that are not in view. It moves no read mark. */
export class UnreadRooms implements Readable<UnreadCounts> {
  readonly #parts: UnreadParts
  readonly #counts = new Store<UnreadCounts>({ rooms: new Map(), total: 0 })
  readonly getSnapshot = this.#counts.getSnapshot
  readonly subscribe = this.#counts.subscribe
  readonly #rooms = new Map<string, Tracked>()
  readonly #entries: BackgroundEntries
  #handlers: UnreadHandlers = {}
  #channel: Channel | null = null
  #userId: string | undefined
  #stops: Unsubscribe[] = []

  constructor(parts: UnreadParts) {
    this.#parts = parts
    this.#entries = new BackgroundEntries({
      ...parts,
      positionOf: (roomId) => this.#rooms.get(roomId)?.position.id,
      onEntered: (roomId, snapshot) => this.#entered(roomId, snapshot),
    })
  }

  setHandlers(handlers: UnreadHandlers): void {
    this.#handlers = handlers
  }

  /** To be called whenever one of it is another. */
  update({ channel, rooms, userId }: UnreadBinding): void {
    this.#userId = userId
    if (channel !== this.#channel) this.#use(channel)
    const ids = new Set(rooms.map(({ roomId }) => roomId))
    for (const roomId of [...this.#rooms.keys()]) if (!ids.has(roomId)) this.#forget(roomId)
    for (const [place, room] of rooms.entries()) this.#list(room, place < this.#parts.roomsMax)
    this.#publish()
  }

  close(): void {
    this.#use(null)
    this.#publish()
  }

  #use(channel: Channel | null): void {
    for (const roomId of [...this.#rooms.keys()]) this.#forget(roomId)
    for (const stop of this.#stops) stop()
    this.#stops = []
    this.#channel = channel
    this.#entries.use(channel)
    if (!channel) return
    this.#stops = [
      channel.onChange(({ type }) => {
        if (type === 'opened') this.#enterAgain(this.#rooms.keys())
        else if (type === 'closed') this.#entries.clear()
      }),
      channel.on('message:new', (message) => this.#came(message)),
      channel.on('message:stream:start', (start) => {
        const { messageId: id, roomId, seq, characterId, replyTo, timestamp } = start
        const answer = { id, roomId, seq, characterId, replyTo, timestamp, senderId: characterId }
        this.#begins({ ...answer, role: 'character', content: '', state: 'streaming' })
      }),
      channel.on('message:stream:end', (end) => this.#ends(end)),
      channel.on('message:deleted', (deleted) => this.#handlers.onDeleted?.(deleted)),
      channel.on('messages:read', ({ roomId, userId, characterId, seq }) => {
        const isOwn = userId === this.#self() && characterId === undefined
        if (isOwn) this.#change(roomId, (unread) => read(unread, seq))
      }),
      channel.on('room:resync', ({ roomId }) => this.#enterAgain([roomId])),
    ]
  }

  #self(): string | undefined {
    return this.#channel?.userId ?? this.#userId
  }

  // --- rooms ---

  #list(room: KnownRoom, isNear: boolean): void {
    const { roomId, lastSeq, lastMessage } = room
    const known = this.#rooms.get(roomId)
    const tracked: Tracked = known ?? {
      unread: nothingUnread,
      position: { id: undefined, seq: -1 },
      answers: new Map(),
      stopWatching: null,
    }
    tracked.unread = listed(tracked.unread, room)
    if (lastSeq > tracked.position.seq) tracked.position = { id: lastMessage?.id, seq: lastSeq }
    this.#rooms.set(roomId, tracked)
    if (isNear) this.#watch(roomId, tracked)
    else this.#unwatch(roomId, tracked)
  }

  #watch(roomId: string, room: Tracked): void {
    if (room.stopWatching || !this.#channel) return
    room.stopWatching = watchRoom(this.#channel, roomId, () => this.#enterAgain([roomId]))
    this.#enterAgain([roomId])
  }

  #unwatch(roomId: string, room: Tracked): void {
    const isFree = room.stopWatching?.() ?? false
    room.stopWatching = null
    this.#entries.remove(roomId)
    if (isFree) this.#channel?.emit('room:leave', { roomId })
  }

  #forget(roomId: string): void {
    const room = this.#rooms.get(roomId)
    this.#rooms.delete(roomId)
    if (room) this.#unwatch(roomId, room)
  }

  #enterAgain(roomIds: Iterable<string>): void {
    for (const roomId of roomIds)
      if (this.#rooms.get(roomId)?.stopWatching) this.#entries.add(roomId)
  }

  #entered(roomId: string, snapshot: RoomAck): void {
    const { messages, recovered, hasMore, read: marks, lastSeq } = snapshot
    const room = this.#rooms.get(roomId)
    if (!room) return
    const own = marks.find(
      ({ userId, characterId }) => userId === this.#self() && characterId === undefined,
    )
    if (own) room.unread = read(room.unread, own.seq)
    if ((recovered || room.position.seq === 0) && !hasMore) {
      for (const message of messages) this.#count(room, message)
    } else {
      // More was missed than a page has, or nothing is known of what was: a list tells.
      room.position = { id: messages.at(-1)?.id, seq: lastSeq }
      this.#handlers.onStale?.()
    }
    this.#publish()
  }

  // --- messages ---

  #came(message: ChatMessage): void {
    if (this.#seen(message) && this.#isOfOthers(message)) this.#handlers.onMessage?.(message)
  }

  #begins(answer: ChatMessage): void {
    if (!this.#seen(answer)) return
    const answers = this.#rooms.get(answer.roomId)?.answers
    answers?.set(answer.id, answer)
    const [oldest] = answers?.keys() ?? []
    if (answers && answers.size > ANSWERS_MAX && oldest !== undefined) answers.delete(oldest)
  }

  #ends({ roomId, messageId, content, state }: StreamEnd): void {
    const answers = this.#rooms.get(roomId)?.answers
    const answer = answers?.get(messageId)
    answers?.delete(messageId)
    if (answer && content !== '') this.#handlers.onMessage?.({ ...answer, content, state })
  }

  /** Whether it was not known before. */
  #seen(message: ChatMessage): boolean {
    const room = this.#rooms.get(message.roomId)
    if (!room) {
      // A room that one has entered elsewhere, or that has moved up among the newest.
      this.#handlers.onStale?.()
      return false
    }
    if (message.seq <= room.position.seq) return false
    this.#count(room, message)
    this.#publish()
    return true
  }

  #count(room: Tracked, message: ChatMessage): void {
    const { id, seq, roomId } = message
    if (this.#isOfOthers(message)) room.unread = arrived(room.unread, seq)
    if (seq === room.position.seq + 1) room.position = { id, seq }
    else if (seq > room.position.seq + 1) this.#missed(roomId)
  }

  /** Of a room that is in view somebody else brings what is missing, and a list tells how much it was. */
  #missed(roomId: string): void {
    if (this.#channel && isHeld(this.#channel, roomId)) this.#handlers.onStale?.()
    else this.#entries.addLater(roomId)
  }

  /** Whether a message is not read yet, on any of one's devices. */
  isUnread(roomId: string, seq: number): boolean {
    const room = this.#rooms.get(roomId)
    return room !== undefined && seq > room.unread.readTo
  }

  #isOfOthers({ role, senderId }: Pick<ChatMessage, 'role' | 'senderId'>): boolean {
    return role === 'character' || senderId !== this.#self()
  }

  #change(roomId: string, change: (unread: Unread) => Unread): void {
    const room = this.#rooms.get(roomId)
    if (!room) return
    room.unread = change(room.unread)
    this.#publish()
  }

  #publish(): void {
    const rooms = new Map([...this.#rooms].map(([id, { unread }]) => [id, count(unread)] as const))
    const before = this.#counts.getSnapshot().rooms
    const isSame =
      before.size === rooms.size && [...rooms].every(([id, value]) => before.get(id) === value)
    if (isSame) return
    this.#counts.set({ rooms, total: [...rooms.values()].reduce((sum, each) => sum + each, 0) })
  }
}
