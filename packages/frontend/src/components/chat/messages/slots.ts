import type { ChatMessage } from '@/index'

/** One place in the conversation. Several answers to one message share a place. */
export interface Slot {
  key: string
  variants: readonly ChatMessage[]
  /** The ids of all that stand here, of which the conversation has one; empty where there is only that. */
  beside: readonly string[]
}

export type Row =
  | { kind: 'day'; key: string; timestamp: string }
  | { kind: 'new'; key: typeof NEW_LINE }
  | { kind: 'slot'; key: string; slot: Slot; continues: boolean }

/** The key of the line where one left off. */
export const NEW_LINE = 'new-line'

/** Messages of one author within this time stand under one name. */
const TOGETHER_MS = 5 * 60_000

const ALONE: readonly string[] = []

/**
 * The places of a conversation. `variants` says what else stands beside a message. In rooms from before
 * there were branches several answers to a message are in the conversation: they are gathered at
 * the place of the first one.
 */
export function toSlots(
  messages: readonly ChatMessage[],
  variants: ReadonlyMap<string, readonly string[]> = new Map(),
): Slot[] {
  const slots: { key: string; variants: ChatMessage[]; beside: readonly string[] }[] = []
  const answers = new Map<string, ChatMessage[]>()
  for (const message of messages) {
    // Its question was answered together with a later one.
    if (
      message.role === 'character' &&
      message.state === 'complete' &&
      message.content === '' &&
      !message.deletedAt
    )
      continue
    const question = message.role === 'character' ? message.replyTo : undefined
    const first = question === undefined ? undefined : answers.get(question)
    if (first) {
      first.push(message)
      continue
    }
    const here = [message]
    if (question !== undefined) answers.set(question, here)
    const beside = variants.get(message.id) ?? ALONE
    // The same, whichever of them is shown: what has the focus there keeps it.
    slots.push({ key: beside[0] ?? message.id, variants: here, beside })
  }
  return slots
}

/** The key of the first place, as `toSlots` gives it. */
export function firstKey(
  messages: readonly ChatMessage[],
  variants: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  const first = messages[0]?.id
  return (first && variants.get(first)?.[0]) ?? first
}

/** Whether two slots show the same: a list that is made anew for each delta need not be drawn anew. */
export function sameSlot(one: Slot, other: Slot): boolean {
  return (
    one.key === other.key &&
    one.variants.length === other.variants.length &&
    one.variants.every((message, at) => message === other.variants[at]) &&
    one.beside.length === other.beside.length &&
    one.beside.every((id, at) => id === other.beside[at])
  )
}

/**
 * The rows of the list: slots, a line wherever a new day begins in the reader's time zone, and one where
 * the reader left off, before the first message that came after that.
 */
export function toRows(slots: readonly Slot[], leftOff: number | null = null): Row[] {
  const firstNew = leftOff === null ? undefined : slots.find((slot) => isAfter(slot, leftOff))
  const rows: Row[] = []
  let before: ChatMessage | undefined
  for (const slot of slots) {
    const message = slot.variants[0]
    if (!message) continue
    const newDay = before === undefined || dayOf(before) !== dayOf(message)
    if (newDay) {
      rows.push({ kind: 'day', key: `day-${slot.key}`, timestamp: message.timestamp })
    }
    if (slot === firstNew) rows.push({ kind: 'new', key: NEW_LINE })
    rows.push({
      kind: 'slot',
      key: slot.key,
      slot,
      continues:
        !newDay && slot !== firstNew && before !== undefined && belongTogether(before, message),
    })
    before = message
  }
  return rows
}

/** What is on its way has no place yet: nothing of it is new to who writes it. */
function isAfter({ variants }: Slot, seq: number): boolean {
  return variants.some((each) => each.seq > seq)
}

function dayOf(message: ChatMessage): string {
  return new Date(message.timestamp).toDateString()
}

function belongTogether(before: ChatMessage, message: ChatMessage): boolean {
  return (
    before.senderId === message.senderId &&
    before.role === message.role &&
    Date.parse(message.timestamp) - Date.parse(before.timestamp) < TOGETHER_MS
  )
}
