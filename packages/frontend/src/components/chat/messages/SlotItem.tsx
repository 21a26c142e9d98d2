import { memo, type RefObject, useRef, useState } from 'react'
import type { AnswerFailure, ChatMessage } from '@/index'
import { authorOf, characterName, type Names, type People, personName } from '../common/people'
import { useText } from '../i18n/TextContext'
import { AnswerActions } from './AnswerActions'
import { DeleteQuestion } from './DeleteQuestion'
import { EditForm } from './EditForm'
import { MessageItem } from './MessageItem'
import { ReadNote, type ReadNoteProps } from './MessageState'
import { OwnActions } from './OwnActions'
import { CHARACTER } from './readers'
import { type Slot, sameSlot } from './slots'
import type { VariantTurnerProps } from './VariantTurner'

export interface MessageHandlers {
  onRetry: (messageId: string) => void
  onDiscard: (messageId: string) => void
  onRegenerate: (messageId: string) => void
  onContinue: (messageId: string) => void
  /** Goes on with another branch. */
  onChoose: (messageId: string) => void
  /** Resolves to whether the server has it. */
  onEdit: (messageId: string, text: string) => Promise<boolean>
  onDelete: (messageId: string) => void
  /** How long a message may be. */
  limitBytes: number
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
  /** The others who have read it: ids with spaces between them; `null` where that is not to be shown. */
  readers: string | null
  /** Only at the end of a conversation another answer makes sense. */
  mayRegenerate: boolean
  /** Whether one asked for it oneself. */
  answersMe: boolean
}

/** A place in the conversation, with the message that is chosen there. */
export const SlotItem = memo(SlotView, (before, now) => {
  const { slot: slotBefore, ...restBefore } = before
  const { slot: slotNow, ...restNow } = now
  const keys = Object.keys(restNow) as (keyof typeof restNow)[]
  return sameSlot(slotBefore, slotNow) && keys.every((key) => restBefore[key] === restNow[key])
})

function SlotView(props: SlotItemProps) {
  const { slot, people, handlers } = props
  const { t } = useText()
  const variant = useVariant(slot, handlers.onChoose)
  const [open, setOpen] = useState<Open>(null)
  const editButton = useRef<HTMLButtonElement>(null)
  const { message } = variant
  if (!message) return null

  const close = () => {
    setOpen(null)
    // What had the focus is gone.
    requestAnimationFrame(() => editButton.current?.focus({ preventScroll: true }))
  }
  const isEdited = open === 'edit' && isOwn(message, people)
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
      instead={
        isEdited && (
          <EditForm
            text={message.content}
            limitBytes={handlers.limitBytes}
            onSave={(text) => handlers.onEdit(message.id, text)}
            onClose={close}
          />
        )
      }
    >
      {props.readers !== null && <ReadNote {...namesOf(props.readers, people, t)} />}
      {!isEdited && (
        <Actions
          {...props}
          variant={{ ...variant, message }}
          open={open}
          onOpen={setOpen}
          onClose={close}
          editButton={editButton}
        />
      )}
    </MessageItem>
  )
}

type Open = 'edit' | 'delete' | null

interface ActionsProps extends SlotItemProps {
  variant: VariantTurnerProps
  open: Open
  onOpen: (open: Open) => void
  onClose: () => void
  editButton: RefObject<HTMLButtonElement | null>
}

/** What may be done with the message that is shown. */
function Actions(props: ActionsProps) {
  const { variant, handlers, onOpen, onClose } = props
  const { t } = useText()
  const { message } = variant
  const own = isOwn(message, props.people)
  const isCharacter = message.role === 'character'
  const isAnswer = isCharacter && message.replyTo !== undefined
  const mayDelete = own || (isAnswer && props.answersMe && isThere(message))
  const mayAsk = isAnswer && props.mayRegenerate
  if (props.open === 'delete' && mayDelete)
    return (
      <DeleteQuestion
        question={isCharacter ? t.deleteAnswerQuestion : t.deleteQuestion}
        onDelete={() => {
          onClose()
          handlers.onDelete(message.id)
        }}
        onClose={onClose}
      />
    )
  const onDelete = mayDelete ? () => onOpen('delete') : undefined
  if (!isCharacter)
    return (
      <OwnActions
        {...variant}
        onEdit={own ? () => onOpen('edit') : undefined}
        onDelete={onDelete}
        editButton={props.editButton}
      />
    )
  return (
    <AnswerActions
      {...variant}
      onRegenerate={mayAsk ? handlers.onRegenerate : undefined}
      onContinue={mayAsk ? handlers.onContinue : undefined}
      onPrompt={promptOf(message, props)}
      onDelete={onDelete}
    />
  )
}

/** The server has it, and it was not taken away. */
function isThere({ status, deletedAt }: ChatMessage): boolean {
  return status !== 'pending' && status !== 'failed' && deletedAt === undefined
}

/** Who asked may see what the model was asked; some characters ask none. */
function promptOf({ characterId }: ChatMessage, { answersMe, people, handlers }: SlotItemProps) {
  const character = people.characters.find(({ id }) => id === characterId)
  return answersMe && character?.prompts !== false ? handlers.onPrompt : undefined
}

function isOwn(message: ChatMessage, { userId }: People): boolean {
  return isThere(message) && message.role === 'user' && message.senderId === userId
}

/** Which message is shown, as what of how many, and how to show another one. */
function useVariant({ variants, beside }: Slot, onChoose: (messageId: string) => void) {
  const [chosen, setChosen] = useState<string | null>(null)
  const isNewest = (at: number) => at === variants.length - 1
  const found = variants.findIndex((each) => each.id === chosen)
  const own = found === -1 ? variants.length - 1 : found
  const message = variants[own]
  if (variants.length > 1 || message === undefined)
    return {
      message,
      index: own,
      count: variants.length,
      onShow: (at: number) => setChosen(isNewest(at) ? null : (variants[at]?.id ?? null)),
    }
  return {
    message,
    index: beside.indexOf(message.id),
    count: beside.length,
    onShow: (at: number) => {
      const id = beside[at]
      if (id !== undefined) onChoose(id)
    },
  }
}

function namesOf(readers: string, people: People, names: Names): ReadNoteProps {
  const ids = readers === '' ? [] : readers.split(' ')
  const isCharacter = (id: string) => id.startsWith(CHARACTER)
  return {
    people: ids.filter((id) => !isCharacter(id)).map((id) => personName(people, id, names)),
    characters: ids
      .filter(isCharacter)
      .map((id) => characterName(people.characters, id.slice(CHARACTER.length))),
  }
}
