import { useId, useState } from 'react'
import type { CharacterSummary } from '@/index'
import { Avatar } from '../common/Avatar'
import { Icon } from '../common/Icon'
import { useText } from '../i18n/TextContext'

export interface NobodyAnswersProps {
  characters: readonly CharacterSummary[]
  onChoose: (characterId: string) => void
  /** Called when somebody wants to go on without. */
  onClose: () => void
}

/** In a room without a character: says that it has none, and offers those that there are. */
export function NobodyAnswers({ characters, onChoose, onClose }: NobodyAnswersProps) {
  const { t } = useText()
  const titleId = useId()
  const [isClosed, setClosed] = useState(false)
  if (isClosed || characters.length === 0) return null
  return (
    <section aria-labelledby={titleId} className="mx-auto w-full max-w-3xl px-4 pb-2">
      <div className="rounded-2xl bg-surface p-3 ring-1 ring-line">
        <div className="flex items-start gap-2">
          <div className="min-w-0 flex-1 text-sm">
            <h2 id={titleId} className="font-semibold">
              {t.nobodyAnswers}
            </h2>
            <p className="text-muted">{t.nobodyAnswersHint}</p>
          </div>
          <button
            type="button"
            aria-label={t.withoutCharacter}
            title={t.withoutCharacter}
            className="button-quiet px-2"
            onClick={() => {
              setClosed(true)
              onClose()
            }}
          >
            <Icon name="close" className="size-4" />
          </button>
        </div>
        <ul className="mt-2 flex max-h-28 flex-wrap gap-2 overflow-y-auto p-0.5">
          {characters.map(({ id, name }) => (
            <li key={id} className="min-w-0">
              <button
                type="button"
                className="flex min-h-11 max-w-full items-center gap-2 rounded-xl px-2 font-medium text-sm ring-1 ring-line hover:bg-sunken"
                onClick={() => onChoose(id)}
              >
                <Avatar id={id} name={name} square className="size-7 text-xs" />
                <span className="min-w-0 truncate">{name}</span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </section>
  )
}
