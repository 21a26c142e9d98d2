import type { Readable } from '../store'
import type { Clock } from '../time/clock'
import type { ChatAction } from './actions'
import type { ChatSettings } from './settings'
import type { ChatState } from './state'

/** What everything about a room works with: its state, the one way to change it, time and chance. */
export interface ChatParts {
  state: Readable<ChatState>
  dispatch: (action: ChatAction) => void
  clock: Clock
  random: () => number
  settings: ChatSettings
}
