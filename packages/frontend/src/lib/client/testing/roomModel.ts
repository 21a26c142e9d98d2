import type { ChatMessage, Member, ReadMarker, RoomSnapshot } from '../../types/socket'
import type { ChatAction } from '../chat/actions'
import { codePoints } from '../chat/streams'
import { defined } from '../defined'
import { answer, CHARACTER, message, ROOM, running, snapshot } from './room'

interface Writing {
  row: ChatMessage
  text: string
  index: number
}

/** A room as a server keeps it: every change says which events it causes. */
export class RoomModel {
  readonly #log: ChatMessage[] = []
  readonly #writing = new Map<string, Writing>()
  readonly #members = new Map<string, Member>()
  readonly #read = new Map<string, ReadMarker>()
  readonly #deleted: { messageId: string; timestamp: string; revision: number }[] = []
  #head = 0
  #revision = 0
  #time = 0

  /** The ids of the answers that are being written. */
  get writing(): string[] {
    return [...this.#writing.keys()]
  }

  get length(): number {
    return this.#log.length
  }

  send(senderId: string): ChatAction[] {
    const row = this.#append(message(this.#log.length + 1, { senderId, ...this.#afterHead() }))
    return [{ type: 'message', message: row }]
  }

  /** Another text beside one that is there. */
  edit(id: string): ChatAction[] {
    const { seq, senderId } = this.#row(id)
    const parentSeq = this.#parentOf(seq)
    const row = message(this.#log.length + 1, { senderId, parentSeq, variantOf: id })
    return [{ type: 'message', message: this.#append(row) }]
  }

  choose(id: string): ChatAction[] {
    const { seq } = this.#row(id)
    if (this.#line(this.#head).includes(seq)) return []
    const below = this.#log.filter((row) => this.#line(row.seq).includes(seq))
    this.#head = below.at(-1)?.seq ?? seq
    this.#revision += 1
    const chosen = {
      roomId: ROOM,
      messageId: id,
      userId: 'ann',
      head: this.#head,
      lastSeq: this.#log.length,
      revision: this.#revision,
      timestamp: this.#now(),
    }
    return [{ type: 'chosen', chosen }]
  }

  delete(id: string): ChatAction[] {
    const row = this.#row(id)
    if (row.deletedAt !== undefined || this.#writing.has(id)) return []
    this.#revision += 1
    const change = { messageId: id, timestamp: this.#now(), revision: this.#revision }
    this.#put({ ...row, content: '', deletedAt: change.timestamp })
    this.#deleted.push(change)
    return [{ type: 'deleted', deleted: { roomId: ROOM, ...change } }]
  }

  /** What a client sends; the same id once. */
  receive(
    id: string,
    sent: Pick<ChatMessage, 'senderId' | 'content' | 'characterId'>,
  ): { row: ChatMessage; told: ChatAction[] } {
    const known = this.#log.find((row) => row.id === id)
    if (known) return { row: known, told: [] }
    const row = this.#append(message(this.#log.length + 1, { id, ...sent, ...this.#afterHead() }))
    return { row, told: [{ type: 'message', message: row }] }
  }

  start(): ChatAction[] {
    const row = this.#append(
      answer(this.#log.length + 1, { state: 'streaming', content: '', ...this.#afterHead() }),
    )
    this.#writing.set(row.id, { row, text: '', index: 0 })
    const { seq, timestamp, replyTo = '' } = row
    const start = {
      roomId: ROOM,
      messageId: row.id,
      characterId: CHARACTER,
      replyTo,
      seq,
      timestamp,
      ...defined({ parentSeq: row.parentSeq }),
    }
    return [{ type: 'streamStarted', start }]
  }

  write(messageId: string, delta: string): ChatAction[] {
    const writing = this.#of(messageId)
    const chunk = {
      roomId: ROOM,
      messageId,
      index: writing.index,
      offset: codePoints(writing.text),
      delta,
    }
    writing.text += delta
    writing.index += 1
    this.#put({ ...writing.row, content: writing.text })
    return [{ type: 'streamChunk', chunk }]
  }

  end(messageId: string, state: 'complete' | 'stopped' | 'interrupted'): ChatAction[] {
    const content = this.#finish(messageId, state)
    const end = { roomId: ROOM, messageId, content, state, timestamp: this.#now() }
    return [{ type: 'streamEnded', end }]
  }

  fail(messageId: string): ChatAction[] {
    const content = this.#finish(messageId, 'failed')
    const error = { error: 'it broke', code: 'character_failed' } as const
    const failure = { roomId: ROOM, messageId, content, ...error, timestamp: this.#now() }
    return [{ type: 'streamFailed', failure }]
  }

  enter(userId: string): ChatAction[] {
    const timestamp = this.#now()
    this.#members.set(userId, { userId, status: 'online', lastSeen: timestamp })
    return [{ type: 'userJoined', user: { roomId: ROOM, userId, timestamp } }]
  }

  leave(userId: string): ChatAction[] {
    this.#members.delete(userId)
    return [{ type: 'userLeft', user: { roomId: ROOM, userId, timestamp: this.#now() } }]
  }

  show(userId: string, status: Member['status']): ChatAction[] {
    const lastSeen = this.#now()
    if (this.#members.has(userId)) this.#members.set(userId, { userId, status, lastSeen })
    return [{ type: 'presence', presence: { userId, status, lastSeen } }]
  }

  read(userId: string, seq: number): ChatAction[] {
    const held = this.#read.get(userId)
    if (held && held.seq >= seq) return []
    const messageId = this.#log[seq - 1]?.id ?? `m${seq}`
    const marker = { userId, messageId, seq, timestamp: this.#now() }
    this.#read.set(userId, marker)
    return [{ type: 'read', read: { roomId: ROOM, ...marker } }]
  }

  /** With a position, what comes after it; else the newest page. */
  snapshot(limit: number, lastMessageId?: string, revision = 0): RoomSnapshot {
    const place = this.#log.findIndex(({ id }) => id === lastMessageId)
    const recovered = place >= 0
    const start = recovered ? place + 1 : Math.max(0, this.#log.length - limit)
    const messages = this.#log.slice(start, start + limit)
    const deleted = this.#deleted
      .filter((each) => each.revision > revision)
      .map(({ messageId, timestamp }) => ({ messageId, timestamp }))
    return snapshot({
      head: this.#head,
      revision: this.#revision,
      ...(recovered ? { deleted } : {}),
      messages,
      recovered,
      hasMore: recovered ? start + limit < this.#log.length : start > 0,
      lastSeq: this.#log.length,
      members: [...this.#members.values()],
      read: [...this.#read.values()],
      streams: [...this.#writing.values()].map(({ row, text, index }) => running(row, text, index)),
    })
  }

  pageAfter(id: string, limit: number): { messages: ChatMessage[]; hasMore: boolean } {
    const start = this.#log.findIndex((row) => row.id === id) + 1
    const messages = this.#log.slice(start, start + limit)
    return { messages, hasMore: start + limit < this.#log.length }
  }

  /** The newest, or those before one. */
  pageBefore(id: string | undefined, limit: number): { messages: ChatMessage[]; hasMore: boolean } {
    const end = id === undefined ? this.#log.length : this.#log.findIndex((row) => row.id === id)
    const start = Math.max(0, end - limit)
    return { messages: this.#log.slice(start, end), hasMore: start > 0 }
  }

  get ids(): string[] {
    return this.#log.map(({ id }) => id)
  }

  /** The ids of what others have written. */
  get idsOfOthers(): string[] {
    return this.#log.filter(({ senderId }) => senderId !== 'me').map(({ id }) => id)
  }

  get revision(): number {
    return this.#revision
  }

  has(id: string): boolean {
    return this.#log.some((row) => row.id === id)
  }

  #append(row: ChatMessage): ChatMessage {
    this.#log.push(row)
    if (row.variantOf !== undefined || this.#parentOf(row.seq) === this.#head) this.#head = row.seq
    return row
  }

  #afterHead(): { parentSeq?: number } {
    return this.#head === this.#log.length ? {} : { parentSeq: this.#head }
  }

  #row(id: string): ChatMessage {
    const row = this.#log.find((each) => each.id === id)
    if (!row) throw new Error(`There is no ${id}`)
    return row
  }

  #parentOf(seq: number): number {
    return this.#log[seq - 1]?.parentSeq ?? seq - 1
  }

  /** From a row back to the beginning. */
  #line(seq: number): number[] {
    const line: number[] = []
    for (let at = seq; at > 0; at = this.#parentOf(at)) line.push(at)
    return line
  }

  #now(): string {
    this.#time += 1
    return new Date(Date.UTC(2026, 0, 1) + this.#time).toISOString()
  }

  #of(messageId: string): Writing {
    const writing = this.#writing.get(messageId)
    if (!writing) throw new Error(`${messageId} is not being written`)
    return writing
  }

  #put(row: ChatMessage): void {
    this.#log[row.seq - 1] = row
  }

  #finish(messageId: string, state: ChatMessage['state']): string {
    const { row, text } = this.#of(messageId)
    this.#writing.delete(messageId)
    this.#put({ ...row, content: text, state })
    return text
  }
}
