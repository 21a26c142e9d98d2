import type { CharacterSummary, SearchHit } from '@/index'
import { characterName } from '../common/people'
import { useText } from '../i18n/TextContext'
import { shortTime } from '../messages/time'
import { partsOf } from './parts'

export interface SearchResultsProps {
  hits: readonly SearchHit[]
  /** Whether it is still being looked. */
  isLooking: boolean
  /** Whether there may be more than was looked through. */
  isIncomplete: boolean
  hasMore: boolean
  onMore: () => void
  characters: readonly CharacterSummary[]
  /** Who looks. */
  userId: string
  hrefOf: (hit: SearchHit) => string
}

/** What was found, each a way to where it was said. */
export function SearchResults(props: SearchResultsProps) {
  const { hits, isLooking, isIncomplete, hasMore } = props
  const { t } = useText()
  return (
    <section aria-label={t.searchResults} className="pt-1">
      <p role="status" className="px-2 py-1 text-muted text-sm">
        {isLooking && hits.length === 0 ? t.loading : t.found(hits.length, hasMore)}
      </p>
      <ul className="flex flex-col gap-1">
        {hits.map((hit) => (
          <HitRow key={hit.messageId} hit={hit} {...props} />
        ))}
      </ul>
      {hasMore && (
        <button type="button" className="button-quiet" onClick={props.onMore} disabled={isLooking}>
          {t.moreResults}
        </button>
      )}
      {isIncomplete && <p className="px-2 py-1 text-muted text-sm">{t.searchIncomplete}</p>}
    </section>
  )
}

function HitRow(props: SearchResultsProps & { hit: SearchHit }) {
  const { hit, characters, hrefOf } = props
  const { t, locale } = useText()
  const { characterId } = hit
  const name = hit.title ?? (characterId ? characterName(characters, characterId) : t.unnamedRoom)
  const who = whoSaid(hit, characters, props.userId, t.you)
  return (
    <li>
      <a href={hrefOf(hit)} className="block rounded-xl p-2 hover:bg-sunken">
        <span className="flex items-baseline gap-2">
          <span className="min-w-0 flex-1 truncate font-medium text-sm">{name}</span>
          <time dateTime={hit.timestamp} className="shrink-0 text-muted text-xs tabular-nums">
            {shortTime(hit.timestamp, new Date(), locale)}
          </time>
        </span>
        <span className="line-clamp-3 block text-muted text-sm leading-snug">
          {who !== undefined && <span className="text-ink">{who}: </span>}
          {partsOf(hit).map(({ start, text, isMatch }) =>
            isMatch ? (
              <mark key={start} className="rounded-sm bg-tint px-0.5 font-semibold text-ink">
                {text}
              </mark>
            ) : (
              text
            ),
          )}
        </span>
      </a>
    </li>
  )
}

/** Who said it, as far as that is known here. */
function whoSaid(
  { role, senderId }: SearchHit,
  characters: readonly CharacterSummary[],
  userId: string,
  you: string,
): string | undefined {
  if (role === 'character') return characterName(characters, senderId)
  return senderId === userId ? you : undefined
}
