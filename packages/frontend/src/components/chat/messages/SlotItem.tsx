import { memo, useState } from 'react'
import type { AnswerFailure } from '@/index'
import { authorOf, type Names, type People, personName } from '../common/people'
import { useText } from '../i18n/TextContext'
import { AnswerActions } from './AnswerActions'
import { MessageItem } from './MessageItem'
import { ReadNote } from './MessageState'
import { type Slot, sameSlot } from './slots'

export interface MessageHandlers {
  onRetry: (messageId: string) => void
  onDiscard: (messageId: string) => void
  onRegenerate: (messageId: string) => void
  /** Absent where nobody may see what a model was asked. */
  onPrompt?: ((messageId: string) => void) | undefined
}

export interface SlotItemProps {
  slot: Slot
  continues: boolean
  people: People
  /** What has arrived of an answer that runs here. */
  streamingText: string | undefined
  /** What its character thought before. */
  thoughts: string | undefined
  /** Why answers failed, by message. */
  failures: ReadonlyMap<string, AnswerFailure>
  handlers: MessageHandlers
  /** The others who have read it, where that is to be shown: ids with spaces between them. */
  readers: string
  /** Only at the end of a conversation another answer makes sense. */
  mayRegenerate: boolean
  /** Whether one asked for it oneself. */
  answersMe: boolean
}

/** A place in the conversation with the answer that is shown there: the newest until one turns back. */
export const SlotItem = memo(SlotView, (before, now) => {
  const { slot: slotBefore, ...restBefore } = before
  const { slot: slotNow, ...restNow } = now
  const keys = Object.keys(restNow) as (keyof typeof restNow)[]
  return sameSlot(slotBefore, slotNow) && keys.every((key) => restBefore[key] === restNow[key])
})

function SlotView(props: SlotItemProps) {
  const { slot, people, handlers } = props
  const { t } = useText()
  const [chosen, setChosen] = useState<string | null>(null)
  const { variants } = slot
  const found = variants.findIndex((each) => each.id === chosen)
  const index = found === -1 ? variants.length - 1 : found
  const message = variants[index]
  if (!message) return null

  const isNewest = (at: number) => at === variants.length - 1
  return (
    <MessageItem
      message={message}
      text={(message.state === 'streaming' && props.streamingText) || message.content}
      author={authorOf(message, people, t)}
      thoughts={props.thoughts}
      failure={props.failures.get(message.id)}
      continues={props.continues}
      onRetry={handlers.onRetry}
      onDiscard={handlers.onDiscard}
    >
      <ReadNote names={namesOf(props.readers, people, t)} />
      {message.role === 'character' && (
        <AnswerActions
          message={message}
          index={index}
          count={variants.length}
          onShow={(at) => setChosen(isNewest(at) ? null : (variants[at]?.id ?? null))}
          onRegenerate={props.mayRegenerate ? handlers.onRegenerate : undefined}
          onPrompt={props.answersMe ? handlers.onPrompt : undefined}
        />
      )}
    </MessageItem>
  )
}

function namesOf(ids: string, people: People, names: Names): string[] {
  return ids === '' ? [] : ids.split(' ').map((id) => personName(people, id, names))
}
