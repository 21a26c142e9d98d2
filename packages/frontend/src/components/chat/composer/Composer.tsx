import { type KeyboardEvent, type RefObject, useEffect, useId, useRef } from 'react'
import { Icon } from '../common/Icon'
import { useText } from '../i18n/TextContext'
import { canSend, keyOf, type OutboxNote, sends, sizeOf } from './rules'
import { useHeight } from './useHeight'

export interface ComposerProps {
  text: string
  onChange: (text: string) => void
  /** The text as it stands; whoever takes it empties the field. */
  onSend: () => void
  /** While somebody types; ends by itself. */
  onTyping: () => void
  onTypingEnd: () => void
  limitBytes: number
  placeholder: string
  /** What must be known about messages that are not sent yet. */
  outboxNote?: OutboxNote | null | undefined
  /** A character answers: this ends it. */
  onStop?: (() => void) | undefined
  autoFocus?: boolean
  /** For who has to lead the focus here. */
  field?: RefObject<HTMLTextAreaElement | null> | undefined
}

export function Composer(props: ComposerProps) {
  const { text, onChange, onSend, limitBytes, onStop } = props
  const { t } = useText()
  const ownField = useRef<HTMLTextAreaElement>(null)
  const field = props.field ?? ownField
  const hintId = useId()
  const ready = canSend(text, limitBytes) && props.outboxNote !== 'full'
  useHeight(field, text)

  useEffect(() => {
    if (props.autoFocus) field.current?.focus()
  }, [props.autoFocus, field])

  const send = () => {
    if (!ready) return
    props.onTypingEnd()
    onSend()
    field.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (!sends({ ...keyOf(event), isComposing: event.nativeEvent.isComposing })) return
    event.preventDefault()
    send()
  }

  return (
    <form
      className="mx-auto w-full max-w-3xl px-4 pb-[max(0.75rem,env(safe-area-inset-bottom))]"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <OutboxLine note={props.outboxNote ?? null} />
      <div className="flex items-end gap-2 rounded-3xl border border-edge bg-surface p-1.5 focus-within:border-accent focus-within:ring-1 focus-within:ring-accent">
        <textarea
          ref={field}
          rows={1}
          value={text}
          aria-label={t.composerLabel}
          aria-describedby={hintId}
          placeholder={props.placeholder}
          enterKeyHint="send"
          className="max-h-[40dvh] min-h-11 flex-1 resize-none bg-transparent px-3 py-2.5 text-base leading-6 outline-none placeholder:truncate placeholder:text-muted"
          onChange={(event) => {
            onChange(event.target.value)
            if (event.target.value.trim()) props.onTyping()
            else props.onTypingEnd()
          }}
          onBlur={props.onTypingEnd}
          onKeyDown={onKeyDown}
        />
        {onStop && (
          <button type="button" className="button-round bg-sunken text-ink" onClick={onStop}>
            <Icon name="stop" className="size-6" />
            <span className="sr-only">{t.stopLong}</span>
          </button>
        )}
        <button type="submit" className="button-primary button-round" disabled={!ready}>
          <Icon name="send" />
          <span className="sr-only">{t.send}</span>
        </button>
      </div>
      <p id={hintId} className="sr-only">
        {t.composerHint}
      </p>
      <SizeNote text={text} limitBytes={limitBytes} />
    </form>
  )
}

/** There before it has something to say, so that it is heard when it has. */
function OutboxLine({ note }: { note: OutboxNote | null }) {
  const { t } = useText()
  const sentences = { full: t.outboxFull, notKept: t.outboxNotKept, offline: t.outboxOffline }
  const isWarning = note === 'full' || note === 'notKept'
  return (
    <p role="status" className={`px-3 text-sm ${isWarning ? 'text-danger' : 'text-muted'}`}>
      {note && <span className="mb-1.5 block">{sentences[note]}</span>}
    </p>
  )
}

function SizeNote({ text, limitBytes }: { text: string; limitBytes: number }) {
  const { t } = useText()
  const size = sizeOf(text, limitBytes)
  if (size.state === 'fine') return null
  const over = size.state === 'over'
  return (
    <p
      role="status"
      className={`mt-1 text-end text-sm tabular-nums ${over ? 'text-danger' : 'text-muted'}`}
    >
      {over ? t.tooLong(-size.left) : t.bytesLeft(size.left)}
    </p>
  )
}
