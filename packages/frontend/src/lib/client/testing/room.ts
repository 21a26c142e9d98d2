import type { ChatMessage, RoomAck, RoomSnapshot, RunningStream } from '../../types/socket'
import { defined } from '../defined'

export const ROOM = 'room_1'
export const CHARACTER = 'char_1'

const minute = (count: number) => new Date(Date.UTC(2026, 0, 1, 0, count)).toISOString()

/** Message number `seq` of the room. */
export function message(seq: number, change: Partial<ChatMessage> = {}): ChatMessage {
  return {
    id: `m${seq}`,
    roomId: ROOM,
    seq,
    role: 'user',
    senderId: 'somebody',
    content: `text ${seq}`,
    state: 'complete',
    timestamp: minute(seq),
    ...change,
  }
}

/** Messages `from` to `to`, both included. */
export function messages(from: number, to: number): ChatMessage[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => message(from + index))
}

/** An answer of the character as it stands in the log. */
export function answer(seq: number, change: Partial<ChatMessage> = {}): ChatMessage {
  return message(seq, {
    role: 'character',
    senderId: CHARACTER,
    characterId: CHARACTER,
    replyTo: `m${seq - 1}`,
    ...change,
  })
}

/** The same answer while it is written. */
export function running(row: ChatMessage, content: string, index: number): RunningStream {
  return {
    messageId: row.id,
    characterId: row.characterId ?? CHARACTER,
    replyTo: row.replyTo ?? '',
    seq: row.seq,
    timestamp: row.timestamp,
    content,
    index,
    ...defined({ parentSeq: row.parentSeq, variantOf: row.variantOf }),
  }
}

export function snapshot(change: Partial<RoomSnapshot> = {}): RoomSnapshot {
  const rows = change.messages ?? []
  return {
    roomId: ROOM,
    messages: rows,
    recovered: false,
    hasMore: false,
    lastSeq: rows.at(-1)?.seq ?? 0,
    members: [],
    read: [],
    streams: [],
    ...change,
  }
}

export function roomAck(change: Partial<RoomSnapshot> = {}): RoomAck {
  return { ...snapshot(change), success: true }
}
