import { useRef } from 'react'
import { Icon } from '../common/Icon'
import { useText } from '../i18n/TextContext'

export interface CardImportProps {
  isBusy: boolean
  /** What became of the last file, as a sentence. */
  note: { text: string; isProblem: boolean } | null
  onFiles: (files: File[]) => void
}

const KINDS = '.json,.png,.charx,application/json,image/png'

/** A button that takes card files; they may also be dropped around it. */
export function CardImport({ isBusy, note, onFiles }: CardImportProps) {
  const { t } = useText()
  const field = useRef<HTMLInputElement>(null)
  return (
    <div className="px-2 pt-1">
      <input
        ref={field}
        type="file"
        accept={KINDS}
        multiple
        aria-label={t.importCard}
        className="hidden"
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])])
          // The same file once more is a change, too.
          event.target.value = ''
        }}
      />
      <button
        type="button"
        className="button-quiet -ms-2.5"
        disabled={isBusy}
        onClick={() => field.current?.click()}
      >
        <Icon name="plus" className="size-4" />
        {isBusy ? t.importing : t.importCard}
      </button>
      <p
        role="status"
        className={`text-sm empty:hidden ${note?.isProblem ? 'text-danger' : 'text-muted'}`}
      >
        {note?.text}
      </p>
    </div>
  )
}
