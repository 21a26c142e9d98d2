/** Rules about running generations: how their text is put together. */
import type {
  ChatMessage,
  RoomSnapshot,
  RunningStream,
  StreamChunk,
  StreamError,
  StreamStart,
} from '../../types/socket'
import { defined } from '../defined'
import { extendWhole, merge } from './log'
import type { ChatState, StreamProgress } from './state'

type Log = ChatState['log']

export function codePoints(text: string): number {
  let count = 0
  for (const _ of text) count += 1
  return count
}

/** The message of a generation, as far as it has come. */
function runningMessage(roomId: string, stream: StreamStart | RunningStream): ChatMessage {
  return {
    id: stream.messageId,
    roomId,
    seq: stream.seq,
    role: 'character',
    senderId: stream.characterId,
    characterId: stream.characterId,
    content: 'content' in stream ? stream.content : '',
    state: 'streaming',
    replyTo: stream.replyTo,
    timestamp: stream.timestamp,
    ...defined({ parentSeq: stream.parentSeq, variantOf: stream.variantOf }),
  }
}

/** What a snapshot says about the generations that run: it is all there is to know about them. */
export function adoptStreams(
  log: Log,
  { roomId, streams }: Pick<RoomSnapshot, 'roomId' | 'streams'>,
): Pick<ChatState, 'log' | 'streams'> {
  const oldest = log[0]?.seq ?? 0
  return {
    // One from before the oldest message held would stand there with a hole behind it.
    log: streams
      .filter(({ seq }) => seq >= oldest)
      .reduce((held, s) => adopt(held, roomId, s), log),
    streams: new Map(streams.map((stream) => [stream.messageId, progressOf(stream)])),
  }
}

function adopt(log: Log, roomId: string, stream: RunningStream): Log {
  const place = log.findLastIndex((held) => held.id === stream.messageId)
  const message = log[place]
  if (!message) return merge(log, [runningMessage(roomId, stream)])
  return log.with(place, { ...message, content: stream.content, state: 'streaming' })
}

function progressOf({ index, content }: RunningStream): StreamProgress {
  return { index, offset: codePoints(content) }
}

export function startStream(state: ChatState, start: StreamStart): ChatState {
  if (state.log.some((held) => held.id === start.messageId)) return state
  const log = merge(state.log, [runningMessage(start.roomId, start)])
  const streams = new Map(state.streams).set(start.messageId, { index: 0, offset: 0 })
  return { ...state, log, streams, wholeTo: extendWhole(log, state.wholeTo, streams) }
}

export function addChunk(state: ChatState, chunk: StreamChunk): ChatState {
  const place = state.log.findLastIndex((held) => held.id === chunk.messageId)
  const message = state.log[place]
  // What comes after the end belongs to a past that a page has overtaken.
  if (message && message.state !== 'streaming') return state
  const progress = state.streams.get(chunk.messageId)
  if (!progress) return { ...state, isDamaged: true }
  if (chunk.index < progress.index) return state
  // Over a poor line chunks may be joined: the index then skips some, but the text goes on where it ended.
  if (chunk.offset !== progress.offset) return { ...state, isDamaged: true }
  const streams = new Map(state.streams).set(chunk.messageId, {
    index: chunk.index + 1,
    offset: progress.offset + codePoints(chunk.delta),
  })
  if (!message) return { ...state, streams }
  const grown = { ...message, content: message.content + chunk.delta }
  return { ...state, log: state.log.with(place, grown), streams }
}

/** Without those that have ended, as a page shows. */
export function withoutEnded(
  streams: ChatState['streams'],
  messages: readonly ChatMessage[],
): ChatState['streams'] {
  const ended = messages.filter(({ id, state }) => state !== 'streaming' && streams.has(id))
  if (ended.length === 0) return streams
  const running = new Map(streams)
  for (const { id } of ended) running.delete(id)
  return running
}

export function endStream(
  state: ChatState,
  messageId: string,
  end: Pick<ChatMessage, 'content' | 'state'>,
): ChatState {
  const place = state.log.findLastIndex((held) => held.id === messageId)
  const message = state.log[place]
  if (!message) return { ...state, isDamaged: true }
  const streams = new Map(state.streams)
  streams.delete(messageId)
  // Of what was deleted since, nothing comes back.
  const ended = message.deletedAt === undefined ? { ...message, ...end } : message
  return { ...state, log: state.log.with(place, ended), streams }
}

/** Why it failed is kept apart from the message, which is as it is stored. */
export function failStream(
  state: ChatState,
  { messageId, content, code, error }: StreamError,
): ChatState {
  const failures = new Map(state.failures).set(messageId, { code, error })
  return { ...endStream(state, messageId, { content, state: 'failed' }), failures }
}
