import type { CharacterSummary } from '@/index'
import { Avatar } from '../common/Avatar'
import { Icon } from '../common/Icon'
import { useText } from '../i18n/TextContext'

export function CharacterList({
  characters,
  onStart,
  onCard,
}: {
  characters: readonly CharacterSummary[]
  onStart: (characterId: string) => void
  /** Shows what can be done with a card; absent where one may do nothing. */
  onCard?: ((character: CharacterSummary) => void) | undefined
}) {
  const { t } = useText()
  return (
    <ul aria-label={t.newChat} className="flex flex-col gap-1">
      {characters.map((character) => (
        <li key={character.id} className="flex items-center">
          <button
            type="button"
            onClick={() => onStart(character.id)}
            className="flex min-w-0 flex-1 items-center gap-3 rounded-xl p-2 text-start hover:bg-sunken"
          >
            <Avatar
              id={character.id}
              name={character.name}
              square
              picture={character.picture}
              className="size-10"
            />
            <span className="min-w-0 flex-1">
              <span className="block truncate font-medium">{character.name}</span>
              {character.description && (
                <span className="line-clamp-2 block text-muted text-sm leading-snug">
                  {character.description}
                </span>
              )}
            </span>
          </button>
          {character.card && onCard && (
            <button
              type="button"
              aria-label={t.cardOf(character.name)}
              title={t.cardOf(character.name)}
              className="button-quiet px-2"
              onClick={() => onCard(character)}
            >
              <Icon name="more" />
            </button>
          )}
        </li>
      ))}
    </ul>
  )
}
