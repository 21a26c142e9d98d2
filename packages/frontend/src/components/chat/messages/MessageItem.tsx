import type { ReactNode } from 'react'
import type { AnswerFailure, ChatMessage } from '@/index'
import { Avatar } from '../common/Avatar'
import type { Author } from '../common/people'
import { AuthorDot } from '../common/presence'
import { useText } from '../i18n/TextContext'
import { Markdown } from '../markdown/Markdown'
import { DeliveryState, OutcomeNote } from './MessageState'
import { Thinking } from './Thinking'
import { clockTime, fullTime } from './time'

export interface MessageItemProps {
  message: ChatMessage
  /** The text to show: of a running answer, what has arrived. */
  text: string
  author: Author
  /** What the character thought before, while its answer runs. */
  thoughts?: string | undefined
  /** Why the answer failed, where it did and that is known. */
  failure?: AnswerFailure | undefined
  /** Whether the message before is by the same author, so that the name need not stand again. */
  continues: boolean
  onRetry: (messageId: string) => void
  onDiscard: (messageId: string) => void
  /** What stands in place of its text. */
  instead?: ReactNode
  /** What may be done with the message, below it. */
  children?: ReactNode
}

export function MessageItem(props: MessageItemProps) {
  const { message, author, continues } = props
  const { t } = useText()
  const own = author.kind === 'self'
  return (
    <article
      aria-label={t.messageBy(author.name)}
      className={`group/message flex gap-3 ${own ? 'justify-end' : ''} ${continues ? 'mt-1' : 'mt-5'}`}
    >
      {!own && (
        <div className="w-9 shrink-0 max-sm:w-8">
          {!continues && (
            <Avatar
              id={author.id}
              name={author.name}
              square={author.kind === 'character'}
              className="size-9 max-sm:size-8"
            />
          )}
        </div>
      )}
      <div className={`flex min-w-0 flex-col ${own ? 'max-w-[85%] items-end' : 'flex-1'}`}>
        {!continues && <Byline author={author} timestamp={message.timestamp} />}
        {props.instead || <Body {...props} />}
        <DeliveryState message={message} onRetry={props.onRetry} onDiscard={props.onDiscard} />
        {props.children}
      </div>
    </article>
  )
}

function Byline({ author, timestamp }: { author: Author; timestamp: string }) {
  const { t, locale } = useText()
  return (
    <p className="mb-1 flex flex-wrap items-baseline gap-x-2 text-sm">
      <span className={author.kind === 'self' ? 'sr-only' : 'font-semibold'}>{author.name}</span>
      {author.kind === 'character' && <span className="sr-only">{t.character}</span>}
      <AuthorDot author={author} />
      <time
        dateTime={timestamp}
        title={fullTime(timestamp, locale)}
        className="text-muted text-xs tabular-nums"
      >
        {clockTime(timestamp, locale)}
      </time>
    </p>
  )
}

const BODIES = {
  self: 'max-w-full rounded-2xl rounded-ee-md bg-tint px-3.5 py-2',
  person: 'w-fit max-w-full rounded-2xl rounded-ss-md bg-surface px-3.5 py-2 ring-1 ring-line',
  character: 'max-w-full',
} as const

function Body({ message, text, author, thoughts, failure }: MessageItemProps) {
  const { t } = useText()
  const streaming = message.state === 'streaming'
  return (
    <div className={BODIES[author.kind]} data-message-id={message.id} data-state={message.state}>
      {streaming && <span className="sr-only">{t.answering(author.name)}</span>}
      {streaming && thoughts && <Thinking text={thoughts} answers={text !== ''} />}
      {message.deletedAt !== undefined && <p className="text-muted italic">{t.deleted}</p>}
      {(text !== '' || streaming) && <Markdown text={text} streaming={streaming} />}
      {message.deletedAt === undefined && <OutcomeNote state={message.state} failure={failure} />}
    </div>
  )
}
