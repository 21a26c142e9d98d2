import { createId } from '../ids'

interface Edit {
  roomId: string
  messageId: string
  content: string
}

/** Knows which edits of the open room may be stored without that this is known here. */
export class Edits {
  readonly #unanswered = new Map<string, Edit & { newMessageId: string }>()

  /** With an id of its own; the same as before where the same was asked for and nothing is known of it. */
  begin(edit: Edit): Edit & { newMessageId: string } {
    const known = this.#unanswered.get(edit.messageId)
    if (known?.roomId === edit.roomId && known.content === edit.content) return known
    const begun = { ...edit, newMessageId: createId() }
    this.#unanswered.set(edit.messageId, begun)
    return begun
  }

  stored({ messageId, newMessageId }: { messageId: string; newMessageId: string }): void {
    if (this.#unanswered.get(messageId)?.newMessageId === newMessageId)
      this.#unanswered.delete(messageId)
  }

  forget(): void {
    this.#unanswered.clear()
  }
}
