/** What is held of a room after something happened; the only place where it changes. */
import type {
  ChatMessage,
  DeletedMessage,
  HistoryPage,
  MessageChosen,
  RoomSnapshot,
} from '../../types/socket'
import type { ChatAction } from './actions'
import { headOf, withoutText } from './branches'
import { extendWhole, lastWhole, merge, position } from './log'
import { discard, failSend, queue, settle, withoutStored } from './outgoing'
import { withMember, withoutTyping, withPresence, withRead } from './people'
import { type ChatState, emptyChat } from './state'
import {
  addChunk,
  adoptStreams,
  codePoints,
  endStream,
  failStream,
  startStream,
  withoutEnded,
} from './streams'
import { addThought, runningThoughts } from './thoughts'

export function reduce(state: ChatState, action: ChatAction): ChatState {
  const next = after(state, action)
  if (next.streams === state.streams) return next
  return { ...next, thoughts: runningThoughts(next.thoughts, next.streams) }
}

function after(state: ChatState, action: ChatAction): ChatState {
  switch (action.type) {
    case 'opened':
      return { ...emptyChat, roomId: action.roomId }
    case 'closed':
      return emptyChat
    case 'entered':
      return entered(state, action.snapshot)
    case 'outside':
      return { ...state, isInRoom: false, isLoadingHistory: false, typingUsers: [] }
    case 'cleared':
      return cleared(state)
    case 'message':
      return stored(state, action.message)
    case 'streamStarted':
      return startStream(state, action.start)
    case 'streamChunk':
      return addChunk(state, action.chunk)
    case 'streamThought':
      return addThought(state, action.thought)
    case 'streamEnded':
      return endStream(state, action.end.messageId, {
        content: action.end.content,
        state: action.end.state,
      })
    case 'streamFailed':
      return failStream(state, action.failure)
    case 'newerPage':
      return newerPage(state, action)
    case 'checked':
      return checked(state, action.after, action)
    case 'olderPage':
      return { ...withPage(state, action.messages), hasOlder: action.hasMore }
    case 'loadingHistory':
      return { ...state, isLoadingHistory: action.isLoading }
    case 'queued':
      return queue(state, action.message, action)
    case 'stored':
      return settle(state, action.id, action.stored)
    case 'sendFailed':
      return failSend(state, action.id)
    case 'discarded':
      return discard(state, action.id)
    case 'outbox':
      return { ...state, outbox: action.outbox }
    case 'chosen':
      return chosen(state, action.chosen)
    case 'deleted': {
      const { messageId, timestamp, revision } = action.deleted
      return known(withoutTexts(state, [{ messageId, timestamp }]), revision)
    }
    case 'typing': {
      const others = withoutTyping(state, action.userId)
      return { ...state, typingUsers: action.isTyping ? [...others, action.userId] : others }
    }
    case 'read':
      return {
        ...state,
        readMarkers: withRead(state.readMarkers, action.read),
        // Who has read a message proves that there is one.
        lastSeq: Math.max(state.lastSeq, action.read.seq),
      }
    case 'titled':
      return { ...state, title: action.title }
    case 'userJoined': {
      const { userId, timestamp } = action.user
      const shown = { status: 'online', lastSeen: timestamp } as const
      return { ...state, members: withMember(state.members, userId, shown) }
    }
    case 'userLeft': {
      const { userId } = action.user
      return {
        ...state,
        members: state.members.filter((member) => member.userId !== userId),
        typingUsers: withoutTyping(state, userId),
      }
    }
    case 'presence': {
      const { userId, ...change } = action.presence
      return { ...state, members: withPresence(state.members, userId, change) }
    }
    case 'roomChanged':
      return { ...state, characterIds: severalOf(action.changed.characterIds) }
    case 'damaged':
      return { ...state, isDamaged: true }
    case 'resyncing':
      return { ...state, isDamaged: false }
    case 'failed':
      return { ...state, error: action.error }
  }
}

function severalOf(characterIds: readonly string[]): readonly string[] {
  return characterIds.length > 1 ? characterIds : []
}

function entered(state: ChatState, snapshot: RoomSnapshot): ChatState {
  const held = snapshot.recovered
    ? withoutTexts(state, snapshot.deleted ?? [])
    : { ...state, log: [], base: undefined, wholeTo: 0 }
  const { log, streams } = adoptStreams(merge(held.log, snapshot.messages), snapshot)
  return {
    ...held,
    ...withoutStored(held, snapshot.messages),
    log,
    streams,
    wholeTo: extendWhole(log, reachOf(snapshot, held.wholeTo), streams),
    lastSeq: snapshot.recovered ? Math.max(state.lastSeq, snapshot.lastSeq) : snapshot.lastSeq,
    hasOlder: snapshot.recovered ? state.hasOlder : snapshot.hasMore,
    characterIds: severalOf(snapshot.characterIds ?? []),
    title: snapshot.title,
    members: snapshot.members,
    // A snapshot is read a moment before one enters; of another log nothing holds any more.
    readMarkers: snapshot.recovered
      ? snapshot.read.reduce(withRead, state.readMarkers)
      : snapshot.read,
    isDamaged: false,
    isInRoom: true,
    error: null,
    branch: {
      head: snapshot.head ?? snapshot.lastSeq,
      at: snapshot.lastSeq,
      revision: snapshot.revision ?? 0,
    },
  }
}

/** Of two choices the later one holds; one from before a snapshot is in it. */
function chosen(state: ChatState, { head, lastSeq, revision }: MessageChosen): ChatState {
  if (revision <= state.branch.revision) return state
  return known({ ...state, branch: { ...state.branch, head, at: lastSeq } }, revision)
}

/** A change came; where one before it did not, a snapshot has it. */
function known(state: ChatState, revision: number): ChatState {
  const { branch } = state
  if (revision <= branch.revision) return state
  if (revision > branch.revision + 1) return { ...state, isDamaged: true }
  return { ...state, branch: { ...branch, revision } }
}

function withoutTexts(state: ChatState, deleted: readonly DeletedMessage[]): ChatState {
  const times = new Map(deleted.map(({ messageId, timestamp }) => [messageId, timestamp]))
  if (!state.log.some(({ id }) => times.has(id))) return state
  const log = state.log.map((message) => {
    const deletedAt = times.get(message.id)
    return deletedAt === undefined ? message : withoutText(message, deletedAt)
  })
  return { ...state, log }
}

/**
 * A position that was honoured leaves nothing out up to the page's end, or to the room's. What is
 * held from behind the page's end may have changed meanwhile.
 */
function reachOf({ messages, recovered, hasMore, lastSeq }: RoomSnapshot, wholeTo: number): number {
  const newest = messages.at(-1)?.seq
  if (recovered && !hasMore) return Math.max(lastSeq, newest ?? 0)
  return newest ?? wholeTo
}

function stored(state: ChatState, message: ChatMessage): ChatState {
  const isHeld = state.log.some((held) => held.id === message.id)
  // Older than everything held, or cleared: it is not asked for.
  if (!isHeld && message.seq <= state.wholeTo) return state
  const log = merge(state.log, [message])
  return {
    ...state,
    ...withoutStored(state, [message]),
    log,
    streams: withoutEnded(state.streams, [message]),
    wholeTo: extendWhole(log, state.wholeTo, state.streams),
    lastSeq: Math.max(state.lastSeq, message.seq),
    typingUsers: withoutTyping(state, message.senderId),
  }
}

/**
 * A last page leaves nothing out of what was there when it was asked for. What has become known
 * while it was on its way, as by an acknowledgement, may be stored after the page was read.
 */
function newerPage(
  state: ChatState,
  { after, known, messages, hasMore }: Extract<ChatAction, { type: 'newerPage' }>,
): ChatState {
  const next = withPage(state, messages)
  // What is held was replaced while the page was on its way: it follows on nothing.
  if (after !== lastWhole(state)) return next
  const newest = messages.at(-1)?.seq ?? 0
  const reached = hasMore ? newest : Math.max(newest, known)
  return { ...next, wholeTo: extendWhole(next.log, Math.max(state.wholeTo, reached), next.streams) }
}

/**
 * Compares what is held from the position on with what the server has. The server shows what it
 * has sent: an answer that is longer there has lost a chunk on its way.
 */
function checked(
  state: ChatState,
  after: string | undefined,
  { messages, hasMore, revision = 0 }: Pick<HistoryPage, 'messages' | 'hasMore' | 'revision'>,
): ChatState {
  // A choice or a deletion was missed; a snapshot has it.
  if (revision > state.branch.revision) return { ...state, isDamaged: true }
  // What is held has moved on meanwhile, or the server has nothing that is not held.
  if (after !== position(state) || messages.length === 0) return state
  const isLonger = messages.some(({ id, content, state: progress }) => {
    const held = state.streams.get(id)
    return progress === 'streaming' && held !== undefined && codePoints(content) > held.offset
  })
  if (after === undefined) {
    const isNew = (messages.at(-1)?.seq ?? 0) > state.wholeTo
    return isNew || isLonger ? { ...state, isDamaged: true } : state
  }
  const next = withPage(state, messages)
  return {
    ...next,
    wholeTo: extendWhole(next.log, state.wholeTo, next.streams),
    lastSeq: Math.max(state.lastSeq, messages.at(-1)?.seq ?? 0),
    isDamaged: next.isDamaged || isLonger || hasMore,
  }
}

function withPage(state: ChatState, messages: readonly ChatMessage[]): ChatState {
  const log = merge(state.log, messages)
  const strays = messages.some(
    ({ id, state: progress }) =>
      progress === 'streaming' && !state.log.some((held) => held.id === id),
  )
  return {
    ...state,
    ...withoutStored(state, messages),
    log,
    streams: withoutEnded(state.streams, messages),
    // A running one whose chunks were not followed: only a snapshot says where it stands.
    isDamaged: state.isDamaged || strays,
  }
}

/** What still moves stays: running answers, and messages on their way. */
function cleared(state: ChatState): ChatState {
  const log = state.log.filter((message) => message.state === 'streaming')
  return {
    ...state,
    log,
    outgoing: state.outgoing.filter((message) => message.status === 'pending'),
    base: position(state),
    branch: {
      ...state.branch,
      head: headOf(state.log, state.branch),
      at: Math.max(state.branch.at, state.log.at(-1)?.seq ?? 0),
    },
    hasOlder: state.hasOlder || log.length < state.log.length,
  }
}
