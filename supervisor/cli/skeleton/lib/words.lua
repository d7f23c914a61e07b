-- How we put things.
local words = {}

function words.busy(host, percent)
  return ("%s is %.0f %% busy"):format(host, percent)
end

return words
