/** What characters think before they answer: shown to who sees it happen, as far as it was heard. */
import type { StreamThought } from '../../types/socket'
import type { ChatState } from './state'

/** What of one answer's thoughts was heard. */
export interface Thoughts {
  readonly text: string
  /** The index that the next piece should have. */
  readonly next: number
}

const LENGTH_MAX = 64 * 1024
const GAP = '\n…\n'

export function addThought(state: ChatState, thought: StreamThought): ChatState {
  const { messageId, index, delta } = thought
  const held = state.thoughts.get(messageId) ?? { text: '', next: 0 }
  if (!state.streams.has(messageId) || index < held.next) return state
  // A piece may be missed without harm: nobody needs them, and nothing can bring them again.
  const text = (index > held.next ? `${held.text}${GAP}` : held.text) + delta
  const grown = { text: text.slice(0, LENGTH_MAX), next: index + 1 }
  return { ...state, thoughts: new Map(state.thoughts).set(messageId, grown) }
}

/** Only those of answers that run. */
export function runningThoughts(
  thoughts: ChatState['thoughts'],
  streams: ChatState['streams'],
): ChatState['thoughts'] {
  const kept = [...thoughts].filter(([id]) => streams.has(id))
  return kept.length === thoughts.size ? thoughts : new Map(kept)
}
