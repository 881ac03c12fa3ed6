/** What of a request says where it was made, as a browser fills it in; a script of another site can't change it. */
export type Provenance = {
  readonly method: string;
  /** `https` or `http`: how it came in here. */
  readonly scheme: string;
  readonly host: string | undefined;
  readonly site: string | undefined;
  readonly origin: string | undefined;
  readonly contentType: string | undefined;
  /** Came with a cookie in the place of a token: a browser sends it by itself. */
  readonly cookie: boolean;
};

/**
 * Why a request may have been made by another site in somebody's browser; undefined when it was not. Sec-Fetch-Site
 * decides where there is one, else Origin (OWASP's order). Programs send neither, and are believed when they show a
 * token, which no browser adds by itself. GET and HEAD change nothing, so they pass.
 */
export function forgery(request: Provenance): string | undefined {
  if (request.method === "GET" || request.method === "HEAD") return undefined;
  if (request.site !== undefined) {
    if (request.site !== "same-origin") return "Sec-Fetch-Site is not same-origin";
  } else if (request.origin !== undefined) {
    if (request.host === undefined || request.origin !== `${request.scheme}://${request.host}`)
      return "Origin is not this API's";
  } else if (request.cookie) return "Neither Sec-Fetch-Site nor Origin, but a cookie";
  // A form of another site can send text/plain or urlencoded without asking; it can't send JSON.
  return isJson(request.contentType) ? undefined : "The content type is not application/json";
}

function isJson(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/json\s*(?:;|$)/i.test(contentType);
}
