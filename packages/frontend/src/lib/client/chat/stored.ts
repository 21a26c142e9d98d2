import type { ChatMessage } from '../../types/socket'
import type { ChatAction } from './actions'

/** The messages of which an action says that the server has them. */
export function storedBy(action: ChatAction): readonly ChatMessage[] {
  switch (action.type) {
    case 'message':
      return [action.message]
    case 'entered':
      return action.snapshot.messages
    case 'newerPage':
    case 'checked':
    case 'olderPage':
      return action.messages
    default:
      return []
  }
}
