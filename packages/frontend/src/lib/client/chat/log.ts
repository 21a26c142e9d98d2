/** Rules about the stored messages of a room: their order, and what is whole. */
import type { ChatMessage } from '../../types/socket'
import type { ChatState } from './state'

type Log = readonly ChatMessage[]

/** The log with messages put in at their `seq`; what is held already is brought up to date. */
export function merge(log: Log, messages: readonly ChatMessage[]): Log {
  return messages.reduce(mergeOne, log)
}

function mergeOne(log: Log, message: ChatMessage): Log {
  const known = log.findLastIndex((held) => held.id === message.id)
  // A page that was read a moment ago may be behind the chunks, the end or the deletion that came meanwhile.
  if (known >= 0) {
    const isOlder = message.state === 'streaming' || log[known]?.deletedAt !== undefined
    return isOlder && message.deletedAt === undefined ? log : log.with(known, sent(message))
  }
  const place = log.findLastIndex((held) => held.seq < message.seq) + 1
  return log.toSpliced(place, 0, sent(message))
}

function sent(message: ChatMessage): ChatMessage {
  return { ...message, status: 'sent' }
}

/**
 * Moves `wholeTo` over the messages that follow without a hole. One that is said to be running,
 * while nothing is known of its generation, may have ended unseen: it counts as a hole.
 */
export function extendWhole(
  log: Log,
  wholeTo: number,
  streams: ReadonlyMap<string, unknown>,
): number {
  let reached = wholeTo
  for (const message of log.slice(log.findLastIndex((held) => held.seq <= wholeTo) + 1)) {
    const isStray = message.state === 'streaming' && !streams.has(message.id)
    if (message.seq !== reached + 1 || isStray) break
    reached = message.seq
  }
  return reached
}

/** The highest number that is known to be given to a message. */
export function lastKnown(state: ChatState): number {
  return Math.max(state.lastSeq, state.log.at(-1)?.seq ?? 0)
}

/** Whether there are messages that ought to be held and are not. */
export function hasHole(state: ChatState): boolean {
  return lastKnown(state) > state.wholeTo
}

/** The newest message before the hole: what is missing comes after it. */
export function lastWhole(state: ChatState): string | undefined {
  return state.log.findLast((held) => held.seq <= state.wholeTo)?.id ?? state.base
}

/**
 * The position to catch up from: the last message before the first that is not final, so that
 * the final text of a generation that ended meanwhile comes again.
 */
export function position(state: ChatState): string | undefined {
  const first = state.log.findIndex((held) => held.state === 'streaming')
  const final = first < 0 ? state.log : state.log.slice(0, first)
  const settled = final.findLast((held) => held.seq <= state.wholeTo)
  return settled?.id ?? state.base
}
