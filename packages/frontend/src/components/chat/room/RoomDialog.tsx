import { type FormEvent, useId, useState } from 'react'
import { type ExportFormat, TITLE_LENGTH_MAX } from '@/index'
import { CopyLink } from '../common/CopyLink'
import { Danger } from '../common/Danger'
import { Dialog } from '../common/Dialog'
import { useText } from '../i18n/TextContext'

export interface RoomDialogProps {
  title: string
  link: string
  /** Whether one made the room, and so may delete it. */
  isOwn: boolean
  isBusy: boolean
  /** What went wrong, as a sentence. */
  problem: string | null
  onRename: (title: string) => void
  onExport: (format: ExportFormat) => void
  onDelete: () => void
  onLeave: () => void
  onClose: () => void
}

/** What can be done with a chat as a whole. */
export function RoomDialog(props: RoomDialogProps) {
  const { isOwn, isBusy, problem } = props
  const { t } = useText()
  return (
    <Dialog title={t.roomSettings} onClose={props.onClose}>
      <TitleForm {...props} />
      {/* Where the header has no room for it. */}
      <span className="sm:hidden">
        <CopyLink link={props.link} className="border border-line" />
      </span>
      <section>
        <h3 className="mb-1 font-semibold text-muted text-sm">{t.exportRoom}</h3>
        <div className="flex flex-wrap gap-2">
          {(['markdown', 'json'] as const).map((format) => (
            <button
              key={format}
              type="button"
              className="button-quiet border border-line"
              disabled={isBusy}
              onClick={() => props.onExport(format)}
            >
              {t.exportFormats[format]}
            </button>
          ))}
        </div>
      </section>
      <p role="status" className="text-danger text-sm empty:hidden">
        {problem}
      </p>
      {isOwn ? (
        <Danger
          label={t.deleteRoom}
          warning={t.deleteRoomWarning}
          isBusy={isBusy}
          onConfirm={props.onDelete}
        />
      ) : (
        <Danger
          label={t.leaveRoom}
          warning={t.leaveRoomWarning}
          isBusy={isBusy}
          onConfirm={props.onLeave}
        />
      )}
    </Dialog>
  )
}

function TitleForm({ title, isBusy, onRename }: RoomDialogProps) {
  const { t } = useText()
  const id = useId()
  const [text, setText] = useState(title)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (text.trim() !== '') onRename(text.trim())
  }
  return (
    <form onSubmit={submit} className="flex flex-col gap-1">
      <label htmlFor={id} className="font-semibold text-muted text-sm">
        {t.roomTitle}
      </label>
      <div className="flex gap-2">
        <input
          id={id}
          value={text}
          maxLength={TITLE_LENGTH_MAX}
          autoComplete="off"
          onChange={(event) => setText(event.target.value)}
          className="min-h-11 min-w-0 flex-1 rounded-xl border border-edge bg-canvas px-3"
        />
        <button type="submit" className="button-primary" disabled={isBusy || text.trim() === ''}>
          {t.save}
        </button>
      </div>
    </form>
  )
}
