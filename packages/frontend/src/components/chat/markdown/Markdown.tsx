import { memo, type ReactNode } from 'react'
import ReactMarkdown, { type Components } from 'react-markdown'
import remarkGfm from 'remark-gfm'
import { useText } from '../i18n/TextContext'
import { CodeBlock } from './CodeBlock'
import { breakLines, cursorAtEnd } from './plugins'

const REMARK_PLUGINS = [remarkGfm, breakLines]
const STREAMING_PLUGINS = [cursorAtEnd]
const WHOLE_PLUGINS: [] = []

/** Such a text is broken and read aloud as Korean, whatever the page's language. */
const HANGUL = /[가-힣]/

const COMPONENTS: Components = {
  a: ({ href, children }) => <SafeLink href={href}>{children}</SafeLink>,
  img: ({ src, alt }) => <ImageLink src={typeof src === 'string' ? src : undefined} alt={alt} />,
  pre: ({ node, children }) => <CodeBlock node={node}>{children}</CodeBlock>,
  table: ({ children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    <div className="md-scroll" tabIndex={0}>
      <table>{children}</table>
    </div>
  ),
}

/**
 * The text of a message. HTML in it is shown as text, and nothing is fetched: a message must not
 * be able to tell a third party who reads it.
 */
export const Markdown = memo(function Markdown({
  text,
  streaming = false,
}: {
  text: string
  streaming?: boolean
}) {
  return (
    <div className="md" lang={HANGUL.test(text) ? 'ko' : undefined}>
      <ReactMarkdown
        remarkPlugins={REMARK_PLUGINS}
        rehypePlugins={streaming ? STREAMING_PLUGINS : WHOLE_PLUGINS}
        components={COMPONENTS}
      >
        {text}
      </ReactMarkdown>
    </div>
  )
})

function SafeLink({ href, children }: { href: string | undefined; children: ReactNode }) {
  // An address of a kind that is not allowed has been emptied: then it is no link.
  if (!href) return <span>{children}</span>
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  )
}

function ImageLink({ src, alt }: { src: string | undefined; alt: string | undefined }) {
  const { t } = useText()
  return <SafeLink href={src}>{t.imageLink(alt ?? '')}</SafeLink>
}
