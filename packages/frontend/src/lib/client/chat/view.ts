import type { ChatMessage, Member, ReadMarker } from '../../types/socket'
import type { ChatError } from '../errors'
import type { CharacterStatus } from '../presence/rules'
import type { Readable } from '../store'
import { headOf, pathTo, variantsOn } from './branches'
import type { AnswerFailure, ChatState, OutboxState } from './state'

/** What a page shows of a room. */
export interface ChatView {
  /** Stored messages in order, of all branches, then own ones on their way; each with its `status`. */
  messages: ChatMessage[]
  /** Those of the branch that is chosen, and own ones on their way: what is said, and what a character is shown. */
  conversation: ChatMessage[]
  /**
   * For messages of the conversation that have others beside them (further answers, edited messages,
   * greetings) the ids of all of them, itself included, in order; `chooseMessage` shows another one.
   */
  variants: ReadonlyMap<string, readonly string[]>
  /** The text so far of the answers that are being written, by message. */
  streamingMessages: Map<string, string>
  /** What characters think before they answer, by message; only of answers that run, as far as it was heard. */
  thoughts: ReadonlyMap<string, string>
  /** Why answers failed, by message; of those that failed while nobody looked it is not known. */
  failures: ReadonlyMap<string, AnswerFailure>
  /** Whether somebody else types. */
  isTyping: boolean
  typingUsers: string[]
  /** What the characters do that are answering; the others are idle. */
  characters: ReadonlyMap<string, Exclude<CharacterStatus, 'idle'>>
  isInRoom: boolean
  /** Ids of own messages that are not acknowledged yet. */
  pendingMessages: string[]
  /** How own messages are kept that the server does not have yet. */
  outbox: OutboxState
  /** The characters in the room, in the order of coming, where there are more than one: see `addressee`. */
  characterIds: readonly string[]
  /** What the room is called, once it is known. */
  title: string | undefined
  members: Member[]
  readMarkers: ReadMarker[]
  /** Whether the room has older messages than those held. */
  hasMore: boolean
  isLoadingHistory: boolean
  error: ChatError | null
}

export function viewOf(state: ChatState): ChatView {
  const running = state.log.filter(({ id }) => state.streams.has(id))
  const path = pathTo(state.log, headOf(state.log, state.branch))
  const pending = state.outgoing.filter(({ status }) => status === 'pending')
  return {
    messages: [...state.log, ...state.outgoing],
    conversation: [...path, ...state.outgoing],
    variants: variantsOn(path, state.log),
    streamingMessages: new Map(running.map(({ id, content }) => [id, content])),
    thoughts: new Map([...state.thoughts].map(([id, { text }]) => [id, text])),
    failures: state.failures,
    isTyping: state.typingUsers.length > 0,
    typingUsers: [...state.typingUsers],
    characters: charactersIn(running),
    isInRoom: state.isInRoom,
    pendingMessages: pending.map(({ id }) => id),
    outbox: state.outbox,
    characterIds: state.characterIds,
    title: state.title,
    members: [...state.members],
    readMarkers: [...state.readMarkers],
    hasMore: state.hasOlder,
    isLoadingHistory: state.isLoadingHistory,
    error: state.error,
  }
}

/** One that writes in several places is writing. */
function charactersIn(running: readonly ChatMessage[]): ChatView['characters'] {
  const characters = new Map<string, 'thinking' | 'writing'>()
  for (const { senderId, content } of running)
    if (characters.get(senderId) !== 'writing')
      characters.set(senderId, content === '' ? 'thinking' : 'writing')
  return characters
}

/** The view of a changing state, made anew only when the state is another. */
export function readableView(state: Readable<ChatState>): Readable<ChatView> {
  let seen: ChatState | null = null
  let view: ChatView | null = null
  return {
    subscribe: state.subscribe,
    getSnapshot: () => {
      const current = state.getSnapshot()
      if (view === null || seen !== current) {
        view = viewOf(current)
        seen = current
      }
      return view
    },
  }
}
