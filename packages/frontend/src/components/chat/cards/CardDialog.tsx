import type { CardFormat, CharacterSummary } from '@/index'
import { Danger } from '../common/Danger'
import { Dialog } from '../common/Dialog'
import { useText } from '../i18n/TextContext'

export interface CardDialogProps {
  character: CharacterSummary
  isBusy: boolean
  problem: string | null
  onExport: (format: CardFormat) => void
  onDelete: () => void
  onClose: () => void
}

const FORMATS: readonly CardFormat[] = ['png', 'json', 'charx']

/** What can be done with a character card. */
export function CardDialog(props: CardDialogProps) {
  const { character, isBusy, problem } = props
  const { t } = useText()
  return (
    <Dialog title={character.name} onClose={props.onClose}>
      {character.description && (
        <p className="whitespace-pre-wrap text-muted text-sm">{character.description}</p>
      )}
      <section>
        <h3 className="mb-1 font-semibold text-muted text-sm">{t.exportCard}</h3>
        <div className="flex flex-wrap gap-2">
          {FORMATS.map((format) => (
            <button
              key={format}
              type="button"
              className="button-quiet border border-line uppercase"
              disabled={isBusy}
              onClick={() => props.onExport(format)}
            >
              {format}
            </button>
          ))}
        </div>
      </section>
      <p role="status" className="text-danger text-sm empty:hidden">
        {problem}
      </p>
      <Danger
        label={t.deleteCard}
        warning={t.deleteCardWarning}
        isBusy={isBusy}
        onConfirm={props.onDelete}
      />
    </Dialog>
  )
}
