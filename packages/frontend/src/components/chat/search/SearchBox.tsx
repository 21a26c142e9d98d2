import { useId } from 'react'
import { useText } from '../i18n/TextContext'

export interface SearchBoxProps {
  query: string
  onQuery: (query: string) => void
}

const LENGTH_MAX = 200

/** Where one writes what to look for in one's chats. */
export function SearchBox({ query, onQuery }: SearchBoxProps) {
  const { t } = useText()
  const id = useId()
  return (
    <search className="px-5 pb-2">
      <label htmlFor={id} className="sr-only">
        {t.search}
      </label>
      <input
        id={id}
        type="search"
        value={query}
        maxLength={LENGTH_MAX}
        placeholder={t.search}
        autoComplete="off"
        onChange={(event) => onQuery(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') onQuery('')
        }}
        className="min-h-11 w-full rounded-xl border border-edge bg-canvas px-3 placeholder:text-muted"
      />
    </search>
  )
}
