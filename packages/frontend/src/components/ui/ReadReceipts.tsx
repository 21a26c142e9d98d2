import type { Receipt } from '../../lib/hooks'
import { usePeopleTexts } from './peopleTexts'

export interface ReadReceiptsProps {
  /** From `useReadReceipts`. */
  receipt: Receipt
  /** What the readers are called, people and characters; without it only how many they are. */
  names?: readonly string[] | undefined
  /** By default the browser's. */
  locale?: string | undefined
}

/** How far a message has come: nothing of one that is on its way, which has an indicator of its own. */
export function ReadReceipts({ receipt, names, locale }: ReadReceiptsProps) {
  const { texts } = usePeopleTexts(locale)
  const { state, users, characters } = receipt
  if (state === 'pending' || state === 'failed') return null
  const count = users.length + characters.length
  const by = names && names.length > 0 ? texts.readBy(names) : texts.readByCount(count)
  const sentence = state === 'read' ? by : texts.stored
  return (
    <span className="rejoinder-receipt" data-state={state} title={sentence}>
      <span aria-hidden="true">{state === 'read' ? texts.read : texts.stored}</span>
      <span className="rejoinder-only-spoken">{sentence}</span>
    </span>
  )
}
