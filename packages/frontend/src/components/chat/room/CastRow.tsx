import type { CharacterSummary } from '@/index'
import { characterName } from '../common/people'
import { useText } from '../i18n/TextContext'

export interface CastRowProps {
  /** Who of them is in the room, in the order of coming; where there is only one, nobody is listed. */
  characterIds: readonly string[]
  /** Whom the room began with. */
  first: string | undefined
  characters: readonly CharacterSummary[]
  /** Speak to this one: its name is put into the text. */
  onAddress: (name: string) => void
  /** Whether the last change of it did not work. */
  failed: boolean
  onAdd: (characterId: string) => void
  onRemove: (characterId: string) => void
}

/** Above the composer: the characters in the room, to be spoken to by name, and a way to bring in another. */
export function CastRow(props: CastRowProps) {
  const { characterIds, characters, first } = props
  const { t } = useText()
  const others = characters.filter(({ id }) => !characterIds.includes(id) && id !== first)
  return (
    <div className="mx-auto flex w-full max-w-3xl flex-wrap items-center gap-x-1 px-4 pb-1.5 text-sm">
      {characterIds.length > 0 && (
        <ul aria-label={t.charactersHere} className="flex flex-wrap items-center gap-1.5">
          {characterIds.map((id) => {
            const name = characterName(characters, id)
            return (
              <li key={id} className="flex items-center rounded-xl border border-line">
                <button
                  type="button"
                  className="button-quiet min-h-9 px-2"
                  aria-label={t.speakTo(name)}
                  onClick={() => props.onAddress(name)}
                >
                  @{name}
                </button>
                <button
                  type="button"
                  className="button-quiet min-h-9 min-w-9 justify-center px-1.5"
                  aria-label={t.sendAway(name)}
                  onClick={() => props.onRemove(id)}
                >
                  <span aria-hidden="true">×</span>
                </button>
              </li>
            )
          })}
        </ul>
      )}
      {first !== undefined && others.length > 0 && (
        <label className="ms-auto">
          <span className="sr-only">{t.bringIn}</span>
          <select
            className="button-quiet field-sizing-content min-h-9 max-w-full cursor-pointer truncate bg-transparent"
            value=""
            onChange={(event) => props.onAdd(event.target.value)}
          >
            <option value="" disabled>
              {t.bringIn}
            </option>
            {others.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      <p role="status" className="w-full text-danger empty:hidden">
        {props.failed && t.requestFailed}
      </p>
    </div>
  )
}
