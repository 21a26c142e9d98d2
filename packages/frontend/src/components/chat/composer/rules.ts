/** What the composer decides about keys and sizes. */
export interface KeyPress {
  key: string
  shiftKey: boolean
  ctrlKey: boolean
  altKey: boolean
  metaKey: boolean
  keyCode: number
  isComposing: boolean
}

/** What counts of a key event; whether an input method composes is told apart. */
export function keyOf(event: Omit<KeyPress, 'isComposing'>): Omit<KeyPress, 'isComposing'> {
  const { key, shiftKey, ctrlKey, altKey, metaKey, keyCode } = event
  return { key, shiftKey, ctrlKey, altKey, metaKey, keyCode }
}

/** What browsers report for a key that an input method has taken. */
const KEY_TAKEN_BY_IME = 229
/** The size is shown once no more than this share of the limit is left. */
const NEAR_SHARE = 0.1

/**
 * Enter sends, but not with Shift and not while an input method composes: there it only confirms
 * the syllable. Safari ends the composition before the key event, and leaves only the key code.
 */
export function sends(press: KeyPress): boolean {
  if (press.key !== 'Enter' || press.shiftKey || press.altKey) return false
  return !press.isComposing && press.keyCode !== KEY_TAKEN_BY_IME
}

export function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length
}

export type Size = { state: 'fine' } | { state: 'near' | 'over'; left: number }

export function sizeOf(text: string, limit: number): Size {
  // A UTF-16 unit takes at most 3 bytes: most texts need no counting.
  if (text.length * 3 < limit * (1 - NEAR_SHARE)) return { state: 'fine' }
  const left = limit - utf8Length(text)
  if (left < 0) return { state: 'over', left }
  return left <= limit * NEAR_SHARE ? { state: 'near', left } : { state: 'fine' }
}

export function canSend(text: string, limit: number): boolean {
  return text.trim() !== '' && sizeOf(text, limit).state !== 'over'
}

export type OutboxNote = 'full' | 'notKept' | 'offline'

/** What must be known about own messages that are not sent yet, the most pressing first. */
export function outboxNoteOf(chat: {
  outbox: { isKept: boolean; isFull: boolean }
  isInRoom: boolean
  pendingMessages: readonly unknown[]
  messages: readonly { status?: 'pending' | 'sent' | 'failed' }[]
}): OutboxNote | null {
  const { isKept, isFull } = chat.outbox
  if (isFull) return 'full'
  // In the room what is pending is gone in a moment.
  const isWaiting = !chat.isInRoom && chat.pendingMessages.length > 0
  const hasFailed = chat.messages.some(({ status }) => status === 'failed')
  if ((isWaiting || hasFailed) && !isKept) return 'notKept'
  return isWaiting ? 'offline' : null
}
